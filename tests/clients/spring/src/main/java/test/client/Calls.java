package test.client;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.springframework.cloud.client.loadbalancer.LoadBalanced;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;
import org.springframework.context.annotation.Profile;
import org.springframework.stereotype.Component;
import org.springframework.web.client.RestClient;
import org.springframework.web.client.RestTemplate;

/** Calls other applications by their names, through Spring Cloud LoadBalancer. */
@Component
@Profile("caller")
class Calls {

    private final RestTemplate restTemplate;

    private final RestClient restClient;

    Calls(RestTemplate restTemplate, @LoadBalanced RestClient.Builder restClient) {
        this.restTemplate = restTemplate;
        this.restClient = restClient.build();
    }

    /** How many of this many calls each instance has answered, and what the others failed with. */
    Result make(String by, String service, int count) {
        Result result = new Result(new HashMap<>(), new ArrayList<>());
        for (int call = 0; call < count; call++) {
            try {
                result.answers.merge(answer(by, "http://" + service + WhoController.PATH), 1, Integer::sum);
            }
            catch (RuntimeException failure) {
                result.failures.add(failure.toString());
            }
        }
        return result;
    }

    private String answer(String by, String url) {
        return switch (by) {
            case "RestTemplate" -> restTemplate.getForObject(url, String.class);
            case "RestClient" -> restClient.get().uri(url).retrieve().body(String.class);
            default -> throw new IllegalArgumentException(by);
        };
    }

    record Result(Map<String, Integer> answers, List<String> failures) {
    }

    /** As Spring Cloud's documentation has it. */
    @Configuration
    @Profile("caller")
    static class Clients {

        @Bean
        @LoadBalanced
        RestTemplate restTemplate() {
            return new RestTemplate();
        }

        @Bean
        @LoadBalanced
        RestClient.Builder loadBalancedRestClientBuilder() {
            return RestClient.builder();
        }

        @Bean
        @Primary
        RestClient.Builder restClientBuilder() {
            return RestClient.builder();
        }
    }
}
