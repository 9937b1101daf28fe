package client;

import com.netflix.appinfo.InstanceInfo;
import com.netflix.appinfo.InstanceInfo.InstanceStatus;
import com.netflix.discovery.EurekaClientConfig;
import com.netflix.discovery.shared.transport.EurekaHttpClient;
import com.netflix.discovery.shared.transport.EurekaHttpResponse;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Makes the calls of EurekaHttpClient as the lines of tests/clients/netflix/calls.rs tell. */
public final class Calls implements Lines.Commands {
    private final Map<String, Transport> transports = new HashMap<>();
    private Transport transport;
    private volatile String node;

    public static void main(String[] args) throws Exception {
        Lines.serve(new Calls());
        // The client's threads that are no daemons would keep the process.
        System.exit(0);
    }

    @Override
    public Object answer(String command, List<String> names) throws Exception {
        switch (command) {
            case "connect" -> connect(names.get(0), names.get(1), names.get(2), names.get(3), names.get(4));
            case "select" -> transport = transports.get(names.get(0));
            case "node" -> {
                return node;
            }
            default -> {
                return shown(call(command, names));
            }
        }
        return null;
    }

    private void connect(String name, String access, String codec, String accept, String urls) {
        boolean xml = codec.equals("XStreamXml");
        boolean compact = !accept.equals("full");
        Map<String, String> settings = new HashMap<>(Map.of("clientDataAccept", compact ? "compact" : "full"));
        if (!xml) {
            settings.put("encoderName", codec);
            settings.put("decoderName", codec);
        }
        EurekaClientConfig config = Settings.of("calls" + transports.size(), urls, settings);
        Outgoing.Filter filter = request -> {
            node = request.uri().getAuthority();
            if (xml) {
                // There is no setting for it, but the library has the codecs for what it is then answered.
                request.setHeader("Accept", "application/xml");
                request.setHeader("Content-Type", "application/xml");
            }
            if (compact) {
                request.setHeader("X-Eureka-Accept", accept);
            }
        };
        InstanceInfo self = new OwnInstance("calls", "calls", "calls", Map.of()).info();
        transport = switch (access) {
            case "direct" -> Transport.direct(config, self, urls, filter);
            case "retrying" -> Transport.retrying(config, self, urls, filter);
            default -> throw new IllegalArgumentException(access);
        };
        transports.put(name, transport);
    }

    private EurekaHttpResponse<?> call(String command, List<String> names) throws Exception {
        EurekaHttpClient calls = transport.calls();
        return switch (command) {
            case "register" -> calls.register(Instances.from(names.get(0)));
            case "renew" -> {
                InstanceInfo info = Instances.from(names.get(0));
                yield calls.sendHeartBeat(info.getAppName(), info.getId(), info, null);
            }
            case "cancel" -> calls.cancel(names.get(0), names.get(1));
            case "override" -> {
                InstanceInfo info = Instances.from(names.get(0));
                InstanceStatus status = InstanceStatus.valueOf(names.get(1));
                yield calls.statusUpdate(info.getAppName(), info.getId(), status, info);
            }
            case "remove-override" -> {
                InstanceInfo info = Instances.from(names.get(0));
                yield calls.deleteStatusOverride(info.getAppName(), info.getId(), info);
            }
            case "all" -> calls.getApplications(from(names, 0));
            case "delta" -> calls.getDelta(from(names, 0));
            case "app" -> calls.getApplication(names.get(0));
            case "instance" -> calls.getInstance(names.get(0), names.get(1));
            case "instance-by-id" -> calls.getInstance(names.get(0));
            case "vip" -> calls.getVip(names.get(0), from(names, 1));
            case "svip" -> transport.getSecureVip(names.get(0), from(names, 1));
            default -> throw new IllegalArgumentException(command);
        };
    }

    private static String[] from(List<String> names, int start) {
        return names.subList(start, names.size()).toArray(new String[0]);
    }

    private static Map<String, Object> shown(EurekaHttpResponse<?> response) {
        Map<String, Object> shown = new HashMap<>();
        shown.put("status", response.getStatusCode());
        shown.put("entity", Documents.of(response.getEntity()));
        return shown;
    }

    @Override
    public void stop() {
        transports.values().forEach(each -> each.calls().shutdown());
    }
}
