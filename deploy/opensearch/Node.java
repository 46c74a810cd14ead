import java.util.concurrent.CountDownLatch;
import org.codelibs.opensearch.runner.OpenSearchRunner;

/** One OpenSearch node on loopback, without security: for benchmarks and trials. Ends when it is told to (SIGTERM). */
public final class Node {
    public static void main(String[] arguments) throws Exception {
        String folder = arguments[0];
        int httpPort = Integer.parseInt(arguments[1]);
        OpenSearchRunner runner = new OpenSearchRunner();
        runner.onBuild((number, settings) -> {
            settings.put("node.name", "groundswell");
            settings.put("network.host", "127.0.0.1");
            settings.put("http.port", httpPort);
            settings.put("transport.port", httpPort + 100);
            settings.put("discovery.type", "zen");
            settings.putList("discovery.seed_hosts", "127.0.0.1:" + (httpPort + 100));
            settings.putList("cluster.initial_cluster_manager_nodes", "groundswell");
            settings.put("path.data", folder + "/data");
            // A trial must not stop because the disk of the machine is nearly full.
            settings.put("cluster.routing.allocation.disk.threshold_enabled", false);
        });
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                runner.close();
            } catch (Exception problem) {
                System.err.println("closing: " + problem);
            }
            stopped.countDown();
        }));
        runner.build("-basePath", folder, "-clusterName", "groundswell", "-numOfNode", "1", "-useLogger", "-printOnFailure");
        stopped.await();
    }
}
