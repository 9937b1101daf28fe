package client;

import com.netflix.appinfo.ApplicationInfoManager;
import com.netflix.appinfo.EurekaClientIdentity;
import com.netflix.appinfo.InstanceInfo;
import com.netflix.discovery.DiscoveryClient;
import com.netflix.discovery.EurekaClientConfig;
import com.netflix.discovery.shared.transport.TransportClientFactory;
import com.netflix.discovery.shared.transport.jersey.Jersey1DiscoveryClientOptionalArgs;
import com.netflix.discovery.shared.transport.jersey.Jersey1TransportClientFactories;
import com.netflix.discovery.shared.transport.jersey.JerseyEurekaHttpClientFactory;
import com.sun.jersey.api.client.ClientRequest;
import com.sun.jersey.api.client.ClientResponse;
import com.sun.jersey.api.client.filter.ClientFilter;
import java.net.URI;
import java.util.List;

/** What the client needs to be told with Jersey 1. */
final class Jersey {
    private Jersey() {}

    static DiscoveryClient discoveryClient(
            ApplicationInfoManager self, EurekaClientConfig config, Outgoing.Filter filter) {
        Jersey1DiscoveryClientOptionalArgs args = new Jersey1DiscoveryClientOptionalArgs();
        args.setAdditionalFilters(List.of(new Filter(filter)));
        return new DiscoveryClient(self, config, args);
    }

    static TransportClientFactory transport(EurekaClientConfig config, InstanceInfo self, Outgoing.Filter filter) {
        return new Jersey1TransportClientFactories()
                .newTransportClientFactory(config, List.of(new Filter(filter)), self);
    }

    static TransportClientFactory undecorated(EurekaClientConfig config, InstanceInfo self, Outgoing.Filter filter) {
        return JerseyEurekaHttpClientFactory.create(
                config, List.of(new Filter(filter)), self, new EurekaClientIdentity(self.getIPAddr()));
    }

    private static final class Filter extends ClientFilter {
        private final Outgoing.Filter filter;

        Filter(Outgoing.Filter filter) {
            this.filter = filter;
        }

        @Override
        public ClientResponse handle(ClientRequest request) {
            filter.filter(new Outgoing() {
                @Override
                public URI uri() {
                    return request.getURI();
                }

                @Override
                public void setHeader(String name, String value) {
                    request.getHeaders().putSingle(name, value);
                }
            });
            return getNext().handle(request);
        }
    }
}
