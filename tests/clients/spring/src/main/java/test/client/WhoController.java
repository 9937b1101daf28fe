package test.client;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Answers callers which instance this is. */
@RestController
class WhoController {

    static final String PATH = "/who";

    private final String id;

    WhoController(@Value("${eureka.instance.instance-id}") String id) {
        this.id = id;
    }

    @GetMapping(PATH)
    String who() {
        return id;
    }
}
