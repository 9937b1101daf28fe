package test.server;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.cloud.netflix.eureka.server.EnableEurekaServer;

/** Spring Cloud's Eureka server, as its documentation has it. */
@SpringBootApplication
@EnableEurekaServer
public class Server {

    public static void main(String[] args) {
        SpringApplication.run(Server.class, args);
    }
}
