package client;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;

/** Answers lines on stdin as tests/clients/application.rs tells. */
final class Lines {
    static final ObjectMapper JSON = new ObjectMapper();

    private static final String STOP = "stop";

    interface Commands {
        /** What is answered as JSON, or {@code null} for {@code done}. */
        Object answer(String command, List<String> names) throws Exception;

        void stop();
    }

    private Lines() {}

    static void serve(Commands commands) throws IOException {
        PrintStream answers =
                new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        BufferedReader lines = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        answers.println("ready");
        for (String line = lines.readLine(); line != null && !line.equals(STOP); line = lines.readLine()) {
            answers.println(answer(commands, line));
        }
        commands.stop();
        answers.println("stopped");
    }

    private static String answer(Commands commands, String line) {
        List<String> words =
                Stream.of(line.split(" ")).map(word -> URLDecoder.decode(word, StandardCharsets.UTF_8)).toList();
        try {
            Object answer = commands.answer(words.get(0), words.subList(1, words.size()));
            return answer == null ? "done" : JSON.writeValueAsString(answer);
        } catch (Exception | LinkageError error) {
            error.printStackTrace();
            return "failed: " + error.toString().replace('\n', ' ');
        }
    }
}
