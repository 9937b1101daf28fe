package client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.netflix.appinfo.AmazonInfo;
import com.netflix.appinfo.DataCenterInfo;
import com.netflix.appinfo.InstanceInfo;
import com.netflix.appinfo.InstanceInfo.InstanceStatus;
import com.netflix.appinfo.InstanceInfo.PortType;
import com.netflix.appinfo.LeaseInfo;
import java.util.HashMap;
import java.util.Map;

/** The library's instances from documents with Eureka's names, without the help of its codecs. */
final class Instances {
    private Instances() {}

    /** Takes documents with all fields that an application has to tell. */
    static InstanceInfo from(String json) throws JsonProcessingException {
        JsonNode document = Lines.JSON.readTree(json);
        InstanceInfo.Builder builder = InstanceInfo.Builder.newBuilder()
                .setInstanceId(text(document, "instanceId"))
                .setAppName(text(document, "app"))
                .setHostName(text(document, "hostName"))
                .setIPAddr(text(document, "ipAddr"))
                .setStatus(InstanceStatus.valueOf(text(document, "status")))
                .setCountryId(document.get("countryId").intValue())
                .setDataCenterInfo(dataCenter(document.get("dataCenterInfo")))
                .setLeaseInfo(lease(document.get("leaseInfo")))
                .setMetadata(texts(document.get("metadata")))
                .setAppGroupName(text(document, "appGroupName"))
                .setHomePageUrl(null, text(document, "homePageUrl"))
                .setStatusPageUrl(null, text(document, "statusPageUrl"))
                .setHealthCheckUrls(null, text(document, "healthCheckUrl"), text(document, "secureHealthCheckUrl"))
                .setVIPAddress(text(document, "vipAddress"))
                .setSecureVIPAddress(text(document, "secureVipAddress"))
                .setASGName(text(document, "asgName"))
                .setLastDirtyTimestamp(Long.parseLong(text(document, "lastDirtyTimestamp")));
        if (document.has("sid")) {
            builder.setSID(text(document, "sid"));
        }
        JsonNode port = document.get("port");
        builder.setPort(port.get("$").intValue()).enablePort(PortType.UNSECURE, isEnabled(port));
        JsonNode securePort = document.get("securePort");
        builder.setSecurePort(securePort.get("$").intValue()).enablePort(PortType.SECURE, isEnabled(securePort));
        return builder.build();
    }

    private static String text(JsonNode document, String name) {
        return document.path(name).textValue();
    }

    private static boolean isEnabled(JsonNode port) {
        return text(port, "@enabled").equals("true");
    }

    private static DataCenterInfo dataCenter(JsonNode document) {
        DataCenterInfo.Name name = DataCenterInfo.Name.valueOf(text(document, "name"));
        return name == DataCenterInfo.Name.Amazon
                ? new AmazonInfo(name.name(), new HashMap<>(texts(document.get("metadata"))))
                : () -> name;
    }

    private static LeaseInfo lease(JsonNode document) {
        return LeaseInfo.Builder.newBuilder()
                .setRenewalIntervalInSecs(document.get("renewalIntervalInSecs").intValue())
                .setDurationInSecs(document.get("durationInSecs").intValue())
                .build();
    }

    private static Map<String, String> texts(JsonNode document) {
        Map<String, String> texts = new HashMap<>();
        document.fields().forEachRemaining(field -> texts.put(field.getKey(), field.getValue().textValue()));
        return texts;
    }
}
