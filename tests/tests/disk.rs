//! A full disk: nothing is lost, nothing is counted twice, and the work goes on by itself once there is room.
#![expect(clippy::unwrap_used, reason = "helpers of a test fail as the test does")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use groundswell_tests::{Company, Program, Transport, answers, assert_same, wait_for};

const CAUGHT_UP: Duration = Duration::from_secs(300);

/// A file system of a few MiB that is unmounted with the test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(folder: &Path, mib: u32) -> Option<Self> {
        let size = format!("size={mib}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(folder).status();
        if mounted.is_ok_and(|s| s.success()) {
            return Some(Self(folder.to_path_buf()));
        }
        groundswell_tests::skipped("a small file system can't be mounted here (needs root)");
        None
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazy: a test that fails may still have a process in it for a moment.
        drop(Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

/// Fills what is left of the disk, but for some KiB, so that the next commits fail.
fn fill(folder: &Path) -> PathBuf {
    let ballast = folder.join("ballast");
    let file = std::fs::File::create(&ballast).unwrap();
    let mut written: u64 = 0;
    let block = vec![1_u8; 64 * 1024];
    while std::os::unix::fs::FileExt::write_all_at(&file, &block, written).is_ok() {
        written += block.len() as u64;
    }
    ballast
}

#[test]
fn a_full_disk_delays_but_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let small = folder.path().join("small");
    std::fs::create_dir(&small).unwrap();
    let Some(_disk) = SmallDisk::mount(&small, 256) else { return };
    let company = Company::simulate(21, 6, 15).unwrap();

    let roomy = Program::up(&folder.path().join("roomy"), &Transport::Embedded, &[]).unwrap();
    for phase in company.phases() {
        phase.chunks(500).for_each(|c| drop(roomy.client().send(&c.join("\n")).unwrap()));
        roomy.client().caught_up(CAUGHT_UP).unwrap();
    }
    let golden = answers(&roomy.client()).unwrap();
    drop(roomy);

    let mut program = Program::up(&small.join("data"), &Transport::Embedded, &[]).unwrap();
    let mut refused = 0;
    for (number, phase) in company.phases().into_iter().enumerate() {
        for (part, chunk) in phase.chunks(500).enumerate() {
            // In the middle of the usage and of the feedback the disk fills up, and a publisher goes on for a while.
            let ballast = (number > 0 && part == 1).then(|| fill(&small));
            let chunk = chunk.join("\n");
            let sent = program.client().send(&chunk).is_ok();
            refused += usize::from(!sent);
            if let Some(ballast) = ballast {
                std::fs::remove_file(ballast).unwrap();
            }
            if !sent {
                wait_for("room to be noticed", CAUGHT_UP, || {
                    // A program that gave up is started again, as its supervisor would.
                    if program.ended().is_some() {
                        program = Program::up(&small.join("data"), &Transport::Embedded, &[]).unwrap();
                    }
                    program.client().send(&chunk).ok()
                })
                .unwrap();
            }
        }
        program.client().caught_up(CAUGHT_UP).unwrap_or_else(|e| panic!("{e}: {}", program.log_end()));
    }
    assert_same(&answers(&program.client()).unwrap(), &golden, "after a full disk");
    eprintln!("full disk: {refused} requests were refused and repeated, same answers");
}
