package client;

import com.netflix.appinfo.InstanceInfo;
import com.netflix.appinfo.MyDataCenterInstanceConfig;
import com.netflix.appinfo.providers.EurekaConfigBasedInstanceInfoProvider;
import java.util.Map;

/** What the application registers itself as. */
final class OwnInstance extends MyDataCenterInstanceConfig {
    private static final String HOST = "127.0.0.1";

    private final String app;
    private final String id;
    private final String vip;
    private final Map<String, String> metadata;

    OwnInstance(String app, String id, String vip, Map<String, String> metadata) {
        this.app = app;
        this.id = id;
        this.vip = vip;
        this.metadata = metadata;
    }

    InstanceInfo info() {
        return new EurekaConfigBasedInstanceInfoProvider(this).get();
    }

    @Override
    public String getAppname() {
        return app;
    }

    @Override
    public String getInstanceId() {
        return id;
    }

    @Override
    public String getHostName(boolean refresh) {
        return HOST;
    }

    @Override
    public String getIpAddress() {
        return HOST;
    }

    @Override
    public int getNonSecurePort() {
        return 8080;
    }

    @Override
    public String getVirtualHostName() {
        return vip;
    }

    @Override
    public String getSecureVirtualHostName() {
        return vip + "-secure";
    }

    @Override
    public int getLeaseRenewalIntervalInSeconds() {
        return 1;
    }

    @Override
    public int getLeaseExpirationDurationInSeconds() {
        return 4;
    }

    @Override
    public Map<String, String> getMetadataMap() {
        return metadata;
    }
}
