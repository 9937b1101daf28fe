package test.server;

import com.netflix.eureka.registry.PeerAwareInstanceRegistry;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.netflix.eureka.server.EnableEurekaServer;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/** Spring Cloud's Eureka server as it is, and one endpoint that makes it forget what it was told. */
@SpringBootApplication
@EnableEurekaServer
@RestController
public class Server {
    private final PeerAwareInstanceRegistry registry;

    public Server(PeerAwareInstanceRegistry registry) {
        this.registry = registry;
    }

    public static void main(String[] args) {
        SpringApplication.run(Server.class, args);
    }

    /** Clears leases, overrides and recent changes; the response cache, of no duration here, holds nothing. */
    @PostMapping("/forget")
    void forget() {
        registry.clearRegistry();
    }
}
