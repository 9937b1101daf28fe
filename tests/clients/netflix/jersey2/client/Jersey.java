package client;

import com.netflix.appinfo.ApplicationInfoManager;
import com.netflix.appinfo.EurekaClientIdentity;
import com.netflix.appinfo.InstanceInfo;
import com.netflix.discovery.DiscoveryClient;
import com.netflix.discovery.EurekaClientConfig;
import com.netflix.discovery.Jersey2DiscoveryClientOptionalArgs;
import com.netflix.discovery.shared.transport.TransportClientFactory;
import com.netflix.discovery.shared.transport.jersey2.Jersey2ApplicationClientFactory;
import com.netflix.discovery.shared.transport.jersey2.Jersey2TransportClientFactories;
import javax.ws.rs.client.ClientRequestContext;
import javax.ws.rs.client.ClientRequestFilter;
import java.net.URI;
import java.util.List;

/** What the client needs to be told with Jersey 2. */
final class Jersey {
    private Jersey() {}

    static DiscoveryClient discoveryClient(
            ApplicationInfoManager self, EurekaClientConfig config, Outgoing.Filter filter) {
        Jersey2DiscoveryClientOptionalArgs args = new Jersey2DiscoveryClientOptionalArgs();
        args.setTransportClientFactories(Jersey2TransportClientFactories.getInstance());
        args.setAdditionalFilters(List.of(new Filter(filter)));
        return new DiscoveryClient(self, config, args);
    }

    static TransportClientFactory transport(EurekaClientConfig config, InstanceInfo self, Outgoing.Filter filter) {
        return Jersey2TransportClientFactories.getInstance()
                .newTransportClientFactory(config, List.of(new Filter(filter)), self);
    }

    static TransportClientFactory undecorated(EurekaClientConfig config, InstanceInfo self, Outgoing.Filter filter) {
        return Jersey2ApplicationClientFactory.create(
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
