//! Topics that somebody else made.

use futures_executor::block_on;
use groundswell_bus::{Bus, KafkaBus, KafkaSettings, Stop, Topic};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use crate::support::World;

/// Makes one topic by hand, and says what the transport thinks of all of them.
fn with(world: &World, prefix: &str, topic: Topic, partitions: i32, settings: &[(&str, &str)]) -> (KafkaBus, String) {
    let bootstrap = world.bootstrap();
    let topics = World::topics_of(prefix);
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", &bootstrap).create().unwrap();
    let new = NewTopic::new(topics.names.of(topic), partitions, TopicReplication::Fixed(1));
    let new = settings.iter().fold(new, |new, (key, value)| new.set(key, value));
    assert!(block_on(admin.create_topics([&new], &AdminOptions::new())).unwrap()[0].is_ok());
    let kafka = KafkaSettings { bootstrap, prefix: prefix.into(), ..KafkaSettings::default() };
    let bus = KafkaBus::new(kafka, topics, "0", Stop::default()).unwrap();
    let said = bus.ensure_topics().map_or_else(|error| error.to_string(), |()| String::new());
    (bus, said)
}

pub(crate) fn topics_that_somebody_else_made_are_looked_at(world: &World) {
    let name = |n: u32| format!("{}-{n}", world.address());
    let (_, said) = with(world, &name(1), Topic::Catalogue, 3, &[("retention.ms", "-1")]);
    assert!(said.contains("catalogue") && said.contains("3 partitions"), "{said}");
    let (_, said) = with(world, &name(2), Topic::Insights, 4, &[("cleanup.policy", "compact")]);
    assert!(said.contains("insights") && said.contains("delete"), "{said}");
    let (_, said) = with(world, &name(3), Topic::Journal, 4, &[("cleanup.policy", "compact,delete")]);
    assert!(said.contains("journal") && said.contains("compact"), "{said}");

    // Seven days, as brokers do by themselves.
    let (bus, said) = with(world, &name(4), Topic::Insights, 4, &[]);
    assert_eq!(said, "");
    let remarks = bus.examine().unwrap();
    assert!(remarks.len() == 1 && remarks[0].says.contains("retention.ms is 604800000") && !remarks[0].hurts, "{remarks:?}");
}
