import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.StringDeserializer;

/** Prints every completed call, from the first there was: CompletedCalls HOST:PORT [TOPIC]. */
public class CompletedCalls {
    public static void main(String[] given) throws Exception {
        var seen = new HashSet<String>(); // yours: a table, written with what you make of the event
        var json = new ObjectMapper();
        Map<String, Object> settings = Map.of(
            "bootstrap.servers", given[0], "group.id", "reports",
            "auto.offset.reset", "earliest", "enable.auto.commit", false);
        try (var consumer = new KafkaConsumer<>(
                settings, new StringDeserializer(), new ByteArrayDeserializer())) {
            consumer.subscribe(List.of(given.length > 1 ? given[1] : "rollcall.calls.v1"));
            while (true) {
                for (var record : consumer.poll(Duration.ofSeconds(1))) {
                    var type = header(record, "ce_type");
                    if (!type.startsWith("rollcall.CallCompleted.v")) continue;
                    if (!type.endsWith(".v2")) throw new Exception(type + " is newer: upgrade first");
                    if (!seen.add(header(record, "ce_id"))) continue; // the same fact again
                    var call = json.readTree(record.value());
                    System.out.println(call.get("call_id").asText() + " "
                        + call.get("outcome").asText() + " " + call.get("duration_seconds"));
                }
                consumer.commitSync(); // done with them: a restart goes on after them
            }
        }
    }

    private static String header(ConsumerRecord<String, byte[]> record, String name) {
        return new String(record.headers().lastHeader(name).value());
    }
}
