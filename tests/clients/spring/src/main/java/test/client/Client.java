package test.client;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.ApplicationContext;

/** An application with Spring Cloud's Eureka client, steered by lines on stdin as tests/clients/application.rs tells. */
@SpringBootApplication
public class Client {

    public static void main(String[] args) throws Exception {
        PrintStream answers = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        // Spring logs to stdout, which is for answers here.
        System.setOut(System.err);

        SpringApplication application = new SpringApplication(Client.class);
        application.setDefaultProperties(properties(args[0], args[1], args[2], args[3], args[4]));
        ApplicationContext context = application.run();
        context.getBean(ObservedTransport.class).awaitRegistration();
        answers.println("ready");

        Commands commands = context.getBean(Commands.class);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null && !line.equals("stop"); line = lines.readLine()) {
            List<String> words = Stream.of(line.split(" "))
                .map(word -> URLDecoder.decode(word, StandardCharsets.UTF_8))
                .toList();
            answers.println(commands.answer(words));
        }
        // What SIGTERM does: the context is closed while the JVM shuts down, and then this runs.
        SpringApplication.getShutdownHandlers().add(() -> answers.println("stopped"));
        System.exit(0);
    }

    /** What a user would write into application.properties. */
    private static Map<String, Object> properties(String name, String id, String vip, String urls, String metadata)
            throws Exception {
        Map<String, Object> properties = new HashMap<>();
        properties.put("spring.application.name", name);
        properties.put("server.port", 0);
        properties.put("eureka.instance.non-secure-port", 8080);
        properties.put("eureka.instance.instance-id", id);
        properties.put("eureka.instance.hostname", "127.0.0.1");
        properties.put("eureka.instance.ip-address", "127.0.0.1");
        properties.put("eureka.instance.virtual-host-name", vip);
        properties.put("eureka.instance.secure-virtual-host-name", vip + "-secure");
        properties.put("eureka.instance.lease-renewal-interval-in-seconds", secs("RENEWAL_SECS", 1));
        properties.put("eureka.instance.lease-expiration-duration-in-seconds", secs("LEASE_SECS", 4));
        properties.put("eureka.client.registry-fetch-interval-seconds", 1);
        properties.put("eureka.client.service-url.defaultZone", urls);
        Map<String, String> pairs = new ObjectMapper().readValue(metadata, new TypeReference<>() { });
        pairs.forEach((key, value) -> properties.put("eureka.instance.metadata-map[" + key + "]", value));
        return properties;
    }

    /** A time that the environment may set. */
    private static int secs(String name, int otherwise) {
        return Optional.ofNullable(System.getenv(name)).map(Integer::valueOf).orElse(otherwise);
    }
}
