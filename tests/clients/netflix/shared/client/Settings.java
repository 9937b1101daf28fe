package client;

import com.netflix.config.ConfigurationManager;
import com.netflix.discovery.DefaultEurekaClientConfig;
import com.netflix.discovery.EurekaClientConfig;
import java.util.Map;

/** The client's settings, which other applications have in eureka-client.properties. */
final class Settings {
    private Settings() {}

    /** Those of one client, told apart by its namespace. */
    static EurekaClientConfig of(String namespace, String urls, Map<String, String> others) {
        set(namespace, "shouldUseDns", "false");
        set(namespace, "serviceUrl.default", urls);
        others.forEach((name, value) -> set(namespace, name, value));
        return new DefaultEurekaClientConfig(namespace + ".");
    }

    private static void set(String namespace, String name, String value) {
        ConfigurationManager.getConfigInstance().setProperty(namespace + "." + name, value);
    }
}
