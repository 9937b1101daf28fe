package test.client;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.netflix.appinfo.InstanceInfo;
import com.netflix.appinfo.InstanceInfo.InstanceStatus;
import com.netflix.discovery.EurekaClient;
import com.netflix.discovery.shared.Application;
import com.netflix.discovery.shared.Applications;
import com.netflix.discovery.shared.transport.EurekaHttpClient;
import com.netflix.discovery.shared.transport.EurekaHttpResponse;
import com.netflix.discovery.shared.transport.decorator.EurekaHttpClientDecorator.RequestType;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.cloud.netflix.eureka.CloudEurekaClient;
import org.springframework.cloud.netflix.eureka.serviceregistry.EurekaRegistration;
import org.springframework.cloud.netflix.eureka.serviceregistry.EurekaServiceRegistry;
import org.springframework.cloud.util.ProxyUtils;
import org.springframework.stereotype.Component;
import org.springframework.util.ReflectionUtils;

/** Answers each line with one line. */
@Component
class Commands {

    private final ObjectMapper json = new ObjectMapper();

    private final DiscoveryClient discovery;

    private final EurekaClient eureka;

    private final EurekaServiceRegistry registry;

    private final EurekaRegistration registration;

    private final ObservedTransport transport;

    private final ObjectProvider<Calls> calls;

    Commands(DiscoveryClient discovery, EurekaClient eureka, EurekaServiceRegistry registry,
            EurekaRegistration registration, ObservedTransport transport, ObjectProvider<Calls> calls) {
        this.discovery = discovery;
        this.eureka = eureka;
        this.registry = registry;
        this.registration = registration;
        this.transport = transport;
        this.calls = calls;
    }

    String answer(List<String> words) {
        try {
            Object answer = answer(words.get(0), words.subList(1, words.size()));
            return answer == null ? "done" : json.writeValueAsString(answer);
        }
        catch (Exception | LinkageError failure) {
            return ("failed: " + failure).replaceAll("\\R", " ");
        }
    }

    private Object answer(String command, List<String> names) throws JsonProcessingException {
        return switch (command) {
            case "see" -> instances(names.get(0)).map(ServiceInstance::getInstanceId).toList();
            case "metadata" -> metadata(names.get(0), names.get(1));
            case "hash" -> eureka.getApplications().getReconcileHashCode();
            case "fetches" -> Map.of("full", transport.count(RequestType.GetApplications),
                    "delta", transport.count(RequestType.GetDelta));
            case "read" -> read(names.get(0), names.subList(1, names.size())).map(InstanceInfo::getId).toList();
            case "status" -> setStatus(names.get(0));
            case "node" -> transport.lastReadFrom().url();
            case "call" -> calls.getObject().make(names.get(0), names.get(1), Integer.parseInt(names.get(2)));
            default -> throw new IllegalArgumentException(command);
        };
    }

    /** Spring finds instances by VIP address alone, so it is asked for all that the application has. */
    private Stream<ServiceInstance> instances(String app) {
        Application application = eureka.getApplication(app);
        if (application == null) {
            return Stream.empty();
        }
        return application.getInstancesAsIsFromEureka()
            .stream()
            .map(InstanceInfo::getVIPAddress)
            .filter(vips -> vips != null)
            .flatMap(vips -> Stream.of(vips.split(",")))
            .distinct()
            .flatMap(vip -> discovery.getInstances(vip).stream())
            .filter(instance -> instance.getServiceId().equalsIgnoreCase(app))
            .distinct();
    }

    private Map<String, String> metadata(String app, String id) {
        return instances(app).filter(instance -> id.equals(instance.getInstanceId()))
            .findFirst()
            .orElseThrow()
            .getMetadata();
    }

    private Stream<InstanceInfo> read(String what, List<String> names) {
        EurekaHttpClient http = http();
        return switch (what) {
            case "all" -> in(entity(http.getApplications()));
            case "delta" -> in(entity(http.getDelta()));
            case "app" -> in(entity(http.getApplication(names.get(0))));
            case "instance" -> Stream.of(entity(http.getInstance(names.get(0), names.get(1))));
            case "vip" -> in(entity(http.getVip(names.get(0))));
            // By the bare transport: what Netflix wraps around it turns this into a read of the other VIP address.
            case "svip" -> in(entity(transport.lastReadFrom().http().getSecureVip(names.get(0))));
            default -> throw new IllegalArgumentException(what);
        };
    }

    private static Stream<InstanceInfo> in(Applications applications) {
        return applications.getRegisteredApplications().stream().flatMap(Commands::in);
    }

    private static Stream<InstanceInfo> in(Application application) {
        return application.getInstancesAsIsFromEureka().stream();
    }

    private static <T> T entity(EurekaHttpResponse<T> response) {
        if (response.getEntity() == null) {
            throw new IllegalStateException("answered " + response.getStatusCode());
        }
        return response.getEntity();
    }

    /** The transport as Spring's client uses it, which it shows to its own package only. */
    private EurekaHttpClient http() {
        Method getter = ReflectionUtils.findMethod(CloudEurekaClient.class, "getEurekaHttpClient");
        ReflectionUtils.makeAccessible(getter);
        return (EurekaHttpClient) ReflectionUtils.invokeMethod(getter, ProxyUtils.getTargetObject(eureka));
    }

    private Object setStatus(String status) {
        switch (status) {
            // As the actuator's endpoint does: by an override at the server.
            case "OUT_OF_SERVICE" -> registry.setStatus(registration, status);
            case "UP" -> {
                registration.getApplicationInfoManager().setInstanceStatus(InstanceStatus.UP);
                registry.setStatus(registration, "CANCEL_OVERRIDE");
            }
            // As an application does: it registers anew.
            default -> registration.getApplicationInfoManager().setInstanceStatus(InstanceStatus.valueOf(status));
        }
        return null;
    }
}
