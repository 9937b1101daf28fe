package test.client;

import java.util.List;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.client.ServiceInstance;
import org.springframework.cloud.client.discovery.DiscoveryClient;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/** An application with Spring Cloud's Eureka client; what it sees of others is at /see/APP. */
@SpringBootApplication
@RestController
public class Client {

    private final DiscoveryClient discovery;

    public Client(DiscoveryClient discovery) {
        this.discovery = discovery;
    }

    public static void main(String[] args) {
        SpringApplication.run(Client.class, args);
    }

    @GetMapping("/see/{app}")
    public List<String> see(@PathVariable String app) {
        return discovery.getInstances(app).stream().map(ServiceInstance::getInstanceId).sorted().toList();
    }
}
