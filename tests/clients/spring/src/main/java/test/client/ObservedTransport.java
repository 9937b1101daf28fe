package test.client;

import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLContext;

import com.netflix.appinfo.InstanceInfo;
import com.netflix.discovery.EurekaClientConfig;
import com.netflix.discovery.shared.resolver.EurekaEndpoint;
import com.netflix.discovery.shared.transport.EurekaHttpClient;
import com.netflix.discovery.shared.transport.EurekaHttpResponse;
import com.netflix.discovery.shared.transport.TransportClientFactory;
import com.netflix.discovery.shared.transport.decorator.EurekaHttpClientDecorator;
import com.netflix.discovery.shared.transport.jersey.TransportClientFactories;

import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.stereotype.Component;

/** Stands between the Eureka client and its transport, whichever that is, and notes what goes through. */
@Component
class ObservedTransport implements BeanPostProcessor {

    private final CountDownLatch registration = new CountDownLatch(1);

    private final Map<EurekaHttpClientDecorator.RequestType, Long> counts = new ConcurrentHashMap<>();

    private volatile Node lastReadFrom;

    @Override
    public Object postProcessAfterInitialization(Object bean, String name) {
        return bean instanceof TransportClientFactories<?> factories ? observed(factories) : bean;
    }

    void awaitRegistration() throws InterruptedException {
        registration.await();
    }

    long count(EurekaHttpClientDecorator.RequestType type) {
        return counts.getOrDefault(type, 0L);
    }

    Node lastReadFrom() {
        return lastReadFrom;
    }

    /** A node, and the bare transport to it. */
    record Node(String url, EurekaHttpClient http) {
    }

    private void note(EurekaHttpClientDecorator.RequestType type, Node node, int status) {
        switch (type) {
            case Register -> {
                if (status == 204) {
                    registration.countDown();
                }
            }
            case GetApplications, GetDelta -> lastReadFrom = node;
            default -> { }
        }
    }

    private <F> TransportClientFactories<F> observed(TransportClientFactories<F> factories) {
        return new TransportClientFactories<>() {
            @Override
            public TransportClientFactory newTransportClientFactory(EurekaClientConfig config,
                    Collection<F> filters, InstanceInfo instance) {
                return observed(factories.newTransportClientFactory(config, filters, instance));
            }

            @Override
            public TransportClientFactory newTransportClientFactory(EurekaClientConfig config,
                    Collection<F> filters, InstanceInfo instance, Optional<SSLContext> sslContext,
                    Optional<HostnameVerifier> hostnameVerifier) {
                return observed(factories.newTransportClientFactory(config, filters, instance, sslContext,
                        hostnameVerifier));
            }
        };
    }

    private TransportClientFactory observed(TransportClientFactory factory) {
        return new TransportClientFactory() {
            @Override
            public EurekaHttpClient newClient(EurekaEndpoint endpoint) {
                EurekaHttpClient http = factory.newClient(endpoint);
                requireKind(http);
                return observed(new Node(endpoint.getServiceUrl(), http));
            }

            @Override
            public void shutdown() {
                factory.shutdown();
            }
        };
    }

    /** A test of one transport says nothing when the client has silently taken another. */
    private static void requireKind(EurekaHttpClient http) {
        String kind = http.getClass().getSimpleName();
        if (!kind.equals(System.getProperty("test.transport") + "EurekaHttpClient")) {
            throw new IllegalStateException("the transport is " + kind);
        }
    }

    private EurekaHttpClient observed(Node node) {
        return new EurekaHttpClientDecorator() {
            @Override
            protected <R> EurekaHttpResponse<R> execute(RequestExecutor<R> request) {
                counts.merge(request.getRequestType(), 1L, Long::sum);
                EurekaHttpResponse<R> response = request.execute(node.http);
                note(request.getRequestType(), node, response.getStatusCode());
                return response;
            }

            @Override
            public void shutdown() {
                node.http.shutdown();
            }
        };
    }
}
