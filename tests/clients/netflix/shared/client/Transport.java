package client;

import com.netflix.appinfo.InstanceInfo;
import com.netflix.discovery.EurekaClientConfig;
import com.netflix.discovery.shared.Applications;
import com.netflix.discovery.shared.resolver.ClosableResolver;
import com.netflix.discovery.shared.resolver.DefaultEndpoint;
import com.netflix.discovery.shared.resolver.EndpointRandomizer;
import com.netflix.discovery.shared.resolver.EurekaEndpoint;
import com.netflix.discovery.shared.resolver.aws.AwsEndpoint;
import com.netflix.discovery.shared.transport.EurekaHttpClient;
import com.netflix.discovery.shared.transport.EurekaHttpClients;
import com.netflix.discovery.shared.transport.EurekaHttpResponse;
import com.netflix.discovery.shared.transport.TransportClientFactory;
import java.util.List;
import java.util.stream.Stream;

/** The library's calls without its registry. */
final class Transport {
    private static final EndpointRandomizer AS_GIVEN = new EndpointRandomizer() {
        @Override
        public <T extends EurekaEndpoint> List<T> randomize(List<T> endpoints) {
            return endpoints;
        }
    };

    private final EurekaHttpClient calls;
    private final List<EurekaHttpClient> nodes;

    private Transport(EurekaHttpClient calls, List<EurekaHttpClient> nodes) {
        this.calls = calls;
        this.nodes = nodes;
    }

    /** Calls one node, and returns whatever that answers. */
    static Transport direct(EurekaClientConfig config, InstanceInfo self, String url, Outgoing.Filter filter) {
        List<EurekaHttpClient> nodes = nodes(config, self, url, filter);
        return new Transport(nodes.get(0), nodes);
    }

    /** Calls as DiscoveryClient does: after a failure the next node, three in all. */
    static Transport retrying(EurekaClientConfig config, InstanceInfo self, String urls, Outgoing.Filter filter) {
        TransportClientFactory factory = Jersey.transport(config, self, filter);
        ClosableResolver<AwsEndpoint> resolver = EurekaHttpClients.newBootstrapResolver(
                config, config.getTransportConfig(), factory, self, null, AS_GIVEN);
        EurekaHttpClient calls = EurekaHttpClients.registrationClientFactory(
                        resolver, factory, config.getTransportConfig())
                .newClient();
        return new Transport(calls, nodes(config, self, urls, filter));
    }

    private static List<EurekaHttpClient> nodes(
            EurekaClientConfig config, InstanceInfo self, String urls, Outgoing.Filter filter) {
        TransportClientFactory factory = Jersey.undecorated(config, self, filter);
        return Stream.of(urls.split(","))
                .map(url -> factory.newClient(new DefaultEndpoint(url)))
                .toList();
    }

    /** All calls but that for a secure VIP address. */
    EurekaHttpClient calls() {
        return calls;
    }

    /** Not by what decorates the calls: there getSecureVip() asks for a VIP address that is not secure. */
    EurekaHttpResponse<Applications> getSecureVip(String vip, String... regions) {
        RuntimeException last = null;
        for (EurekaHttpClient node : nodes) {
            try {
                return node.getSecureVip(vip, regions);
            } catch (RuntimeException error) {
                last = error;
            }
        }
        throw last;
    }
}
