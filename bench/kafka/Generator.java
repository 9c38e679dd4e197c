import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes logins to a topic, by user, at a steady rate or as fast as it can. The lines of a file come round and round; each
 * begins with {"timeMs": and thirteen digits, in whose place the time of the login is put.
 *
 * Arguments: brokers, topic, file, line to begin with, count, logins a second (0: as fast as can be). Then the time of a
 * login is now, which is the timestamp of its record in any case, and a few come by a weak protocol from a source that nobody
 * has used, so that they alert whatever the threshold; or with two more, the time of the first login and the milliseconds from
 * one to the next.
 */
final class Generator {
  private static final int DIGITS_AT = 10;
  private static final int DIGITS = 13;
  private static final String USER = "\"user\":\"";
  private static final long PAUSE_NS = 1_000_000;
  /** Of logins that are sent now, one in so many is odd; half the accounts have no past that it could be held against. */
  private static final int LOGINS_PER_ODD_ONE = 100;

  public static void main(String[] arguments) throws Exception {
    String topic = arguments[1];
    List<String> lines = Files.readAllLines(Path.of(arguments[2]));
    byte[][] logins = new byte[lines.size()][];
    byte[][] users = new byte[lines.size()][];
    for (int i = 0; i < logins.length; i++) {
      logins[i] = lines.get(i).getBytes(StandardCharsets.UTF_8);
      users[i] = userOf(lines.get(i));
    }
    long first = Long.parseLong(arguments[3]);
    long count = Long.parseLong(arguments[4]);
    long rate = Long.parseLong(arguments[5]);
    boolean isPast = arguments.length > 6;
    long firstMs = isPast ? Long.parseLong(arguments[6]) : 0;
    double stepMs = isPast ? Double.parseDouble(arguments[7]) : 0;

    Properties properties = new Properties();
    properties.put("bootstrap.servers", arguments[0]);
    properties.put("acks", "all");
    properties.put("linger.ms", 5);
    properties.put("batch.size", 65_536);
    properties.put("key.serializer", ByteArraySerializer.class);
    properties.put("value.serializer", ByteArraySerializer.class);
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties)) {
      producer.partitionsFor(topic);
      long beganNs = System.nanoTime();
      for (long i = 0; i < count; i++) {
        while (rate > 0 && System.nanoTime() - beganNs < i * 1_000_000_000.0 / rate) LockSupport.parkNanos(PAUSE_NS);
        int line = (int) ((first + i) % logins.length);
        boolean isOdd = !isPast && i % LOGINS_PER_ODD_ONE == 0;
        byte[] login = isOdd ? odd(lines.get(line), first + i) : logins[line];
        long nowMs = System.currentTimeMillis();
        long timeMs = isPast ? firstMs + (long) (i * stepMs) : nowMs;
        producer.send(
            new ProducerRecord<>(topic, null, nowMs, users[line], at(timeMs, login)),
            (written, error) -> {
              if (error != null) fail(error);
            });
      }
    }
  }

  private static byte[] odd(String line, long number) {
    return line.replaceFirst("\"sourceHost\":\"[^\"]*\"", "\"sourceHost\":\"odd-" + number + "\"")
        .replaceFirst("\"authType\":\"[^\"]*\"", "\"authType\":\"NTLM\"")
        .replaceFirst("\"logonType\":\"[^\"]*\"", "\"logonType\":\"Network\"")
        .getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] at(long timeMs, byte[] login) {
    byte[] timed = login.clone();
    long rest = timeMs;
    for (int i = DIGITS_AT + DIGITS - 1; i >= DIGITS_AT; i--) {
      timed[i] = (byte) ('0' + rest % 10);
      rest /= 10;
    }
    return timed;
  }

  private static byte[] userOf(String line) {
    int start = line.indexOf(USER) + USER.length();
    return line.substring(start, line.indexOf('"', start)).getBytes(StandardCharsets.UTF_8);
  }

  private static void fail(Exception error) {
    System.err.println(error);
    Runtime.getRuntime().halt(1);
  }
}
