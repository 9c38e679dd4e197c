import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The least that a stateful alerting program on Kafka Streams does: parses each login, reads and writes 16 bytes of state
 * by user, passes one login in so many on. Exactly once, with a changelog. It scores nothing.
 *
 * Arguments: brokers, application id, topic of logins, topic of alerts, state folder, logins an alert. Runs until its
 * standard input ends.
 */
final class Opponent {
  private static final String STORE = "logins-by-user";

  public static void main(String[] arguments) throws Exception {
    String logins = arguments[2];
    String alerts = arguments[3];
    int loginsPerAlert = Integer.parseInt(arguments[5]);

    Properties properties = new Properties();
    properties.put("bootstrap.servers", arguments[0]);
    properties.put("application.id", arguments[1]);
    properties.put("state.dir", arguments[4]);
    properties.put("processing.guarantee", "exactly_once_v2");
    properties.put("commit.interval.ms", 100);
    properties.put("replication.factor", 1);
    properties.put("num.stream.threads", 1);
    properties.put("producer.linger.ms", 5);
    properties.put("main.consumer.max.poll.records", 1000);
    properties.put("default.key.serde", Serdes.ByteArray().getClass());
    properties.put("default.value.serde", Serdes.ByteArray().getClass());

    Topology topology = new Topology();
    topology
        .addSource("source", logins)
        .addProcessor("score", () -> new Score(loginsPerAlert), "source")
        .addStateStore(
            Stores.keyValueStoreBuilder(
                    Stores.inMemoryKeyValueStore(STORE), Serdes.ByteArray(), Serdes.ByteArray())
                .withLoggingEnabled(Map.of())
                .withCachingEnabled(),
            "score")
        .addSink("sink", alerts, "score");

    try (KafkaStreams streams = new KafkaStreams(topology, properties)) {
      streams.start();
      while (System.in.read() >= 0) {}
      streams.close(Duration.ofSeconds(10));
    }
  }

  private static final class Score implements Processor<byte[], byte[], byte[], byte[]> {
    private final ObjectMapper json = new ObjectMapper();
    private final int loginsPerAlert;
    private ProcessorContext<byte[], byte[]> context;
    private KeyValueStore<byte[], byte[]> store;
    private long count;

    Score(int loginsPerAlert) {
      this.loginsPerAlert = loginsPerAlert;
    }

    @Override
    public void init(ProcessorContext<byte[], byte[]> context) {
      this.context = context;
      this.store = context.getStateStore(STORE);
    }

    @Override
    public void process(Record<byte[], byte[]> login) {
      Map<?, ?> fields;
      try {
        fields = json.readValue(login.value(), Map.class);
      } catch (java.io.IOException notJson) {
        throw new IllegalArgumentException(notJson);
      }
      byte[] user = ((String) fields.get("user")).getBytes(StandardCharsets.UTF_8);
      long timeMs = ((Number) fields.get("timeMs")).longValue();
      byte[] before = store.get(user);
      long logins = before == null ? 0 : ByteBuffer.wrap(before).getLong();
      store.put(user, ByteBuffer.allocate(16).putLong(logins + 1).putLong(timeMs).array());
      if (++count % loginsPerAlert == 0) context.forward(login);
    }
  }
}
