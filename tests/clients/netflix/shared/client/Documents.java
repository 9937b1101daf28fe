package client;

import com.netflix.appinfo.AmazonInfo;
import com.netflix.appinfo.DataCenterInfo;
import com.netflix.appinfo.InstanceInfo;
import com.netflix.appinfo.InstanceInfo.PortType;
import com.netflix.appinfo.LeaseInfo;
import com.netflix.discovery.shared.Application;
import com.netflix.discovery.shared.Applications;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the library's objects hold, under Eureka's names and without the help of its codecs. */
final class Documents {
    private Documents() {}

    /** What a call returned, whatever that is. */
    static Object of(Object entity) {
        if (entity instanceof Applications applications) {
            return applications(applications);
        }
        if (entity instanceof Application application) {
            return application(application);
        }
        return entity == null ? null : instance((InstanceInfo) entity);
    }

    private static Map<String, Object> applications(Applications applications) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("versions__delta", String.valueOf(applications.getVersion()));
        document.put("apps__hashcode", applications.getAppsHashCode());
        document.put("application",
                applications.getRegisteredApplications().stream().map(Documents::application).toList());
        return document;
    }

    private static Map<String, Object> application(Application application) {
        return Map.of(
                "name", application.getName(),
                "instance", application.getInstancesAsIsFromEureka().stream().map(Documents::instance).toList());
    }

    private static Map<String, Object> instance(InstanceInfo info) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("instanceId", info.getInstanceId());
        document.put("hostName", info.getHostName());
        document.put("app", info.getAppName());
        document.put("ipAddr", info.getIPAddr());
        document.put("sid", info.getSID());
        document.put("status", info.getStatus());
        document.put("overriddenStatus", info.getOverriddenStatus());
        document.put("port", port(info.getPort(), info.isPortEnabled(PortType.UNSECURE)));
        document.put("securePort", port(info.getSecurePort(), info.isPortEnabled(PortType.SECURE)));
        document.put("countryId", info.getCountryId());
        document.put("dataCenterInfo", dataCenter(info.getDataCenterInfo()));
        document.put("leaseInfo", lease(info.getLeaseInfo()));
        document.put("metadata", info.getMetadata());
        document.put("appGroupName", info.getAppGroupName());
        document.put("homePageUrl", info.getHomePageUrl());
        document.put("statusPageUrl", info.getStatusPageUrl());
        document.put("healthCheckUrl", info.getHealthCheckUrl());
        document.put("secureHealthCheckUrl", info.getSecureHealthCheckUrl());
        document.put("vipAddress", info.getVIPAddress());
        document.put("secureVipAddress", info.getSecureVipAddress());
        document.put("isCoordinatingDiscoveryServer", text(info.isCoordinatingDiscoveryServer()));
        document.put("lastUpdatedTimestamp", text(info.getLastUpdatedTimestamp()));
        document.put("lastDirtyTimestamp", text(info.getLastDirtyTimestamp()));
        document.put("actionType", info.getActionType());
        document.put("asgName", info.getASGName());
        document.values().removeIf(value -> value == null);
        return document;
    }

    private static Map<String, Object> port(int port, boolean enabled) {
        return Map.of("$", port, "@enabled", text(enabled));
    }

    private static Map<String, Object> dataCenter(DataCenterInfo info) {
        Map<String, Object> document = new LinkedHashMap<>();
        document.put("name", info.getName());
        if (info instanceof AmazonInfo amazon) {
            document.put("metadata", amazon.getMetadata());
        }
        return document;
    }

    private static Map<String, Object> lease(LeaseInfo lease) {
        if (lease == null) {
            return null;
        }
        return Map.of(
                "renewalIntervalInSecs", lease.getRenewalIntervalInSecs(),
                "durationInSecs", lease.getDurationInSecs(),
                "registrationTimestamp", lease.getRegistrationTimestamp(),
                "lastRenewalTimestamp", lease.getRenewalTimestamp(),
                "evictionTimestamp", lease.getEvictionTimestamp(),
                "serviceUpTimestamp", lease.getServiceUpTimestamp());
    }

    private static String text(Object value) {
        return value == null ? null : value.toString();
    }
}
