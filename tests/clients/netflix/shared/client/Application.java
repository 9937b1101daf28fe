package client;

import com.fasterxml.jackson.core.type.TypeReference;
import com.netflix.appinfo.ApplicationInfoManager;
import com.netflix.appinfo.InstanceInfo;
import com.netflix.appinfo.InstanceInfo.InstanceStatus;
import com.netflix.discovery.DiscoveryClient;
import com.netflix.discovery.EurekaClientConfig;
import com.netflix.discovery.shared.Applications;
import com.netflix.discovery.shared.transport.EurekaHttpResponse;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/** An application with DiscoveryClient. */
public final class Application implements Lines.Commands {
    private static final Map<String, String> SETTINGS = Map.of(
            "client.refresh.interval", "1",
            "appinfo.replicate.interval", "1",
            "shouldEnforceRegistrationAtInit", "true",
            // Else a renewal that waits for the next leader is followed by a pause of up to ten seconds.
            "client.heartbeat.exponentialBackOffBound", "1",
            "client.cacheRefresh.exponentialBackOffBound", "1");

    private final AtomicInteger fullFetches = new AtomicInteger();
    private final AtomicInteger deltaFetches = new AtomicInteger();
    private final ApplicationInfoManager self;
    private final DiscoveryClient client;
    private final Transport transport;
    private boolean overridden;

    public static void main(String[] args) throws Exception {
        Map<String, String> metadata = Lines.JSON.readValue(args[4], new TypeReference<Map<String, String>>() {});
        OwnInstance instance = new OwnInstance(args[0], args[1], args[2], metadata);
        Lines.serve(new Application(instance, args[3]));
        // The client's threads that are no daemons would keep the process.
        System.exit(0);
    }

    private Application(OwnInstance instance, String urls) {
        EurekaClientConfig config = Settings.of("eureka", urls, SETTINGS);
        InstanceInfo info = instance.info();
        self = new ApplicationInfoManager(instance, info);
        client = Jersey.discoveryClient(self, config, this::count);
        transport = Transport.retrying(config, info, urls, request -> {});
        self.setInstanceStatus(InstanceStatus.UP);
    }

    private void count(Outgoing request) {
        String path = request.uri().getPath();
        if (path.endsWith("/apps/")) {
            fullFetches.incrementAndGet();
        } else if (path.endsWith("/apps/delta")) {
            deltaFetches.incrementAndGet();
        }
    }

    @Override
    public Object answer(String command, List<String> names) {
        return switch (command) {
            case "see" -> see(names.get(0));
            case "metadata" -> client.getApplication(names.get(0)).getByInstanceId(names.get(1)).getMetadata();
            case "hash" -> client.getApplications().getReconcileHashCode();
            case "fetches" -> Map.of("full", fullFetches.get(), "delta", deltaFetches.get());
            case "read" -> read(names);
            case "status" -> change(InstanceStatus.valueOf(names.get(0)));
            default -> throw new IllegalArgumentException(command);
        };
    }

    private List<String> see(String app) {
        var application = client.getApplication(app);
        return application == null ? List.of() : ids(application);
    }

    private List<String> read(List<String> names) {
        return switch (names.get(0)) {
            case "all" -> ids(entity(transport.calls().getApplications()));
            case "delta" -> ids(entity(transport.calls().getDelta()));
            case "app" -> ids(entity(transport.calls().getApplication(names.get(1))));
            case "vip" -> ids(entity(transport.calls().getVip(names.get(1))));
            case "svip" -> ids(entity(transport.getSecureVip(names.get(1))));
            case "instance" -> List.of(entity(transport.calls().getInstance(names.get(1), names.get(2))).getId());
            default -> throw new IllegalArgumentException(names.get(0));
        };
    }

    private static <T> T entity(EurekaHttpResponse<T> response) {
        if (response.getStatusCode() != 200) {
            throw new IllegalStateException("answered " + response.getStatusCode());
        }
        return response.getEntity();
    }

    private static List<String> ids(Applications applications) {
        return applications.getRegisteredApplications().stream()
                .flatMap(application -> ids(application).stream())
                .toList();
    }

    private static List<String> ids(com.netflix.discovery.shared.Application application) {
        return application.getInstances().stream().map(InstanceInfo::getId).toList();
    }

    /**
     * An application says by itself whether it is there. That it is out of service is for others to say: a
     * server keeps an instance UP that registers as OUT_OF_SERVICE, and the other way round.
     */
    private Object change(InstanceStatus status) {
        InstanceInfo info = self.getInfo();
        if (status == InstanceStatus.OUT_OF_SERVICE) {
            overridden = true;
            entityless(transport.calls().statusUpdate(info.getAppName(), info.getId(), status, info));
            return null;
        }
        self.setInstanceStatus(status);
        if (overridden) {
            // The renewal after it gets a 404, and the client registers as what it is.
            entityless(transport.calls().deleteStatusOverride(info.getAppName(), info.getId(), info));
            overridden = false;
        }
        return null;
    }

    private static void entityless(EurekaHttpResponse<Void> response) {
        if (response.getStatusCode() != 200) {
            throw new IllegalStateException("answered " + response.getStatusCode());
        }
    }

    @Override
    public void stop() {
        client.shutdown();
    }
}
