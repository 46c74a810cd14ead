//! What a connection that fails says, and what a broker with passwords and permissions refuses.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::Command;

use groundswell_bus::{Bus, BusError, Group, KafkaBus, KafkaSettings, Remark, Stop, Topic};

use super::cluster::Cluster;
use crate::support::{World, copy_all, eventually, numbered, numbers, publish};

const PREFIX: &str = "guarded";

fn settings(bootstrap: &str, properties: &[(&str, &str)]) -> KafkaSettings {
    let properties = properties.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>();
    KafkaSettings { bootstrap: bootstrap.into(), prefix: PREFIX.into(), properties, ..KafkaSettings::default() }
}

/// What the transport says of a connection that never comes to be.
fn trouble_of(settings: KafkaSettings) -> String {
    let stop = Stop::default();
    let bus = KafkaBus::new(settings, World::topics_of(PREFIX), "0", stop.clone()).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| bus.ensure_topics());
        let said = eventually("a reason", || bus.trouble());
        stop.stop();
        assert!(matches!(waiting.join().unwrap(), Err(BusError::Stopped)));
        said
    })
}

pub(crate) fn a_connection_that_fails_says_why() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    // It takes whoever comes and hangs up: a broker that speaks TLS or wants a password looks like this from outside.
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let said = std::thread::scope(|scope| {
        let plain = scope.spawn(|| trouble_of(settings(&address, &[])));
        let tls = scope.spawn(|| trouble_of(settings(&address, &[("security.protocol", "SSL")])));
        let nowhere = scope.spawn(|| trouble_of(settings("no-such-host.invalid:9092", &[])));
        [plain, tls, nowhere].map(|one| one.join().unwrap())
    });
    assert!(said[0].contains(&address) && said[0].contains("security.protocol"), "{said:?}");
    assert!(said[1].contains("SSL"), "{said:?}");
    assert!(said[2].contains("no-such-host.invalid") && said[2].to_lowercase().contains("resolve"), "{said:?}");
}

/// Runs lines of a shell script about the cluster.
fn shell(cluster: &Cluster, script: &str) {
    let mut command = Command::new("bash");
    command.args(["-euc", script]).current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    cluster.run(command, script);
}

pub(crate) fn passwords_and_permissions_are_told_apart() {
    let cluster = Cluster::start("1", true);
    let world = World::on_kafka(&cluster.does("bootstrap", None), PREFIX);
    drop(world.bus("0"));
    let as_user = |password: &str| {
        settings(
            &cluster.guarded_address(),
            &[
                ("security.protocol", "SASL_PLAINTEXT"),
                ("sasl.mechanism", "PLAIN"),
                ("sasl.username", "groundswell"),
                ("sasl.password", password),
            ],
        )
    };
    let said = trouble_of(as_user("wrong"));
    assert!(said.contains("Authentication failed"), "{said}");
    let said = trouble_of(settings(&cluster.guarded_address(), &[]));
    assert!(said.contains("SASL"), "{said}");

    let bus = KafkaBus::new(as_user("right"), World::topics_of(PREFIX), "1", Stop::default()).unwrap();
    let refused = bus.ensure_topics().unwrap_err();
    assert!(matches!(&refused, BusError::Fatal { .. }) && refused.to_string().contains("topics.sh --acls"), "{refused}");

    let grant = format!("SOURCE={PREFIX} OURS={PREFIX} KAFKA_ACLS=\"$kafka acl\" deploy/topics.sh --acls User:groundswell");
    shell(&cluster, &format!("{grant} | sed \"s/BOOTSTRAP/$($kafka bootstrap)/\" | bash -eu"));
    bus.ensure_topics().unwrap();
    assert_eq!(bus.examine().unwrap(), []);
    publish(&bus, numbered(Topic::Usage, 50, 7));
    copy_all(&bus, Group::Ingest);
    assert_eq!(numbers(&bus, Topic::Insights), (0..50).collect::<Vec<_>>());

    let deny = "\"$kafka\" acl --add --deny-principal User:groundswell";
    shell(&cluster, &format!("{deny} --topic {PREFIX}.insights --operation Write; {deny} --group {PREFIX}-classify --operation Read"));
    shell(&cluster, &format!("{deny} --topic {PREFIX}.dead --operation Read; {deny} --topic {PREFIX}.journal --operation DescribeConfigs"));
    let refused = eventually("what is denied to be denied", || {
        let remarks = bus.examine().unwrap();
        (remarks.len() == 4).then_some(remarks)
    });
    let denied =
        |what: &str| refused.iter().any(|Remark { check, says, hurts, .. }| *check == "permissions" && says.contains(what) && *hurts);
    assert!(denied("write to guarded.insights") && denied("use group guarded-classify") && denied("read guarded.dead"), "{refused:?}");
    let hidden = refused
        .iter()
        .any(|Remark { says, todo, hurts, .. }| says.contains("guarded.journal") && todo.contains("DescribeConfigs") && !*hurts);
    assert!(hidden, "{refused:?}");
    bus.ensure_topics().unwrap();
}
