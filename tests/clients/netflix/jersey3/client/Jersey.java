package client;

import com.netflix.appinfo.ApplicationInfoManager;
import com.netflix.appinfo.EurekaClientIdentity;
import com.netflix.appinfo.InstanceInfo;
import com.netflix.discovery.DiscoveryClient;
import com.netflix.discovery.EurekaClientConfig;
import com.netflix.discovery.Jersey3DiscoveryClientOptionalArgs;
import com.netflix.discovery.shared.transport.TransportClientFactory;
import com.netflix.discovery.shared.transport.jersey3.Jersey3ApplicationClientFactory;
import com.netflix.discovery.shared.transport.jersey3.Jersey3TransportClientFactories;
import jakarta.ws.rs.client.ClientRequestContext;
import jakarta.ws.rs.client.ClientRequestFilter;
import java.net.URI;
import java.util.List;

/** What the client needs to be told with Jersey 3. */
final class Jersey {
    private Jersey() {}

    static DiscoveryClient discoveryClient(
            ApplicationInfoManager self, EurekaClientConfig config, Outgoing.Filter filter) {
        Jersey3DiscoveryClientOptionalArgs args = new Jersey3DiscoveryClientOptionalArgs();
        args.setAdditionalFilters(List.of(new Filter(filter)));
        return new DiscoveryClient(self, config, Jersey3TransportClientFactories.getInstance(), args);
    }

    static TransportClientFactory transport(EurekaClientConfig config, InstanceInfo self, Outgoing.Filter filter) {
        return Jersey3TransportClientFactories.getInstance()
                .newTransportClientFactory(config, List.of(new Filter(filter)), self);
    }

    static TransportClientFactory undecorated(EurekaClientConfig config, InstanceInfo self, Outgoing.Filter filter) {
        return Jersey3ApplicationClientFactory.create(
                config, List.of(new Filter(filter)), self, new EurekaClientIdentity(self.getIPAddr()));
    }

    private static final class Filter implements ClientRequestFilter {
        private final Outgoing.Filter filter;

        Filter(Outgoing.Filter filter) {
            this.filter = filter;
        }

        @Override
        public void filter(ClientRequestContext request) {
            filter.filter(new Outgoing() {
                @Override
                public URI uri() {
                    return request.getUri();
                }

                @Override
                public void setHeader(String name, String value) {
                    request.getHeaders().putSingle(name, value);
                }
            });
        }
    }
}
