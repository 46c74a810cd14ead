//! The contract of the bus, as behaviour: every case runs on the embedded log and, where
//! `GROUNDSWELL_TEST_KAFKA` names a broker, on Kafka.

#![expect(clippy::unwrap_used, reason = "a test fails where something is missing")]

mod cases;
#[path = "../../../tests/src/skip.rs"]
pub mod skip;
mod support;

macro_rules! suite {
    ($($module:ident: $($case:ident),*;)*) => {
        mod embedded {
            $($(
                #[test]
                fn $case() {
                    crate::support::embedded(crate::cases::$module::$case);
                }
            )*)*
        }
        mod kafka {
            $($(
                #[test]
                fn $case() {
                    crate::support::kafka(stringify!($case), crate::cases::$module::$case);
                }
            )*)*
        }
    };
}

suite! {
    steps: records_of_a_key_keep_their_order, a_step_is_visible_whole_or_not_at_all, a_dropped_batch_is_read_again,
        state_is_the_newest_value_of_each_key, a_step_with_positions_alone_moves_the_floor, committed_reaches_the_end_when_idle,
        a_batch_respects_the_budget, a_new_start_reads_what_waits_once, big_records_pass;
    groups: two_members_share_the_work_and_count_once, a_zombie_commits_nothing, a_member_that_leaves_is_replaced,
        an_aborted_step_does_not_end_the_loop, a_record_without_a_fate_ends_the_loop;
    reading: a_record_comes_back_as_it_was_published, records_without_a_key_are_spread, replay_gives_the_asked_range,
        a_reader_sees_all_that_was_acknowledged, one_record_is_found_by_its_offset, retention_removes_the_oldest,
        one_partition_is_read_alone_and_no_further_than_asked;
    crashes: a_crash_after_begin_loses_nothing, a_crash_after_writing_loses_nothing, a_crash_before_commit_loses_nothing,
        a_crash_after_commit_doubles_nothing, what_was_acknowledged_survives_a_crash,
        a_slow_member_holds_little;
}

/// What only one of the transports can meet.
mod faults {
    #[test]
    fn a_second_process_is_told_who_holds_the_log() {
        crate::support::embedded(crate::cases::faults::a_second_process_is_told_who_holds_the_log);
    }

    #[test]
    fn a_full_disk_delays_and_loses_nothing() {
        crate::support::embedded(crate::cases::faults::a_full_disk_delays_and_loses_nothing);
    }

    #[test]
    fn killed_brokers_lose_and_double_nothing() {
        if std::env::var_os("GROUNDSWELL_TEST_KAFKA_CLUSTER").is_none() {
            crate::skip::skipped("killed brokers (set GROUNDSWELL_TEST_KAFKA_CLUSTER=1 to start three of them; Java and Maven needed)");
            return;
        }
        crate::cases::cluster::killed_brokers_lose_and_double_nothing();
    }

    #[test]
    fn a_connection_that_fails_says_why() {
        crate::cases::connections::a_connection_that_fails_says_why();
    }

    #[test]
    fn passwords_and_permissions_are_told_apart() {
        if std::env::var_os("GROUNDSWELL_TEST_KAFKA_CLUSTER").is_none() {
            eprintln!("skipped: permissions; set GROUNDSWELL_TEST_KAFKA_CLUSTER=1 to start a broker with them (Java and Maven needed)");
            return;
        }
        crate::cases::connections::passwords_and_permissions_are_told_apart();
    }

    #[test]
    fn topics_that_somebody_else_made_are_looked_at() {
        crate::support::kafka("fitting", crate::cases::fitting::topics_that_somebody_else_made_are_looked_at);
    }
}
