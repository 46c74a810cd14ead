//! Time and memory of other processes, from `/proc`.

use std::time::Duration;

/// Clock ticks a second in `/proc/PID/stat`: 100 on every Linux of today (`getconf CLK_TCK`).
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU seconds a process has used so far, user and system, all threads. 0 if it is gone.
pub fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The name in parentheses may hold spaces; the numbers follow the last one. utime and stime are fields 14 and 15.
    let fields: Vec<&str> = stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}

/// Most memory a process ever had resident, in MiB. 0 if it is gone.
pub fn peak_mib(pid: u32) -> f64 {
    line_mib(pid, "VmHWM:")
}

/// Memory a process has resident now, in MiB. 0 if it is gone.
pub fn resident_mib(pid: u32) -> f64 {
    line_mib(pid, "VmRSS:")
}

fn line_mib(pid: u32, name: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let kib = status.lines().find_map(|l| l.strip_prefix(name)?.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

/// The value below which the share `q` of the durations lies, in milliseconds.
pub fn quantile_ms(durations: &mut [Duration], q: f64) -> f64 {
    durations.sort_unstable();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a rank within a list")]
    let rank = (q * durations.len().saturating_sub(1) as f64).round() as usize;
    durations.get(rank).map_or(f64::NAN, |d| d.as_secs_f64() * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_has_memory_and_no_other_has() {
        assert!(resident_mib(std::process::id()) > 0.0 && peak_mib(std::process::id()) > 0.0);
        assert!(cpu_seconds(u32::MAX).abs() < f64::EPSILON);
    }

    #[test]
    fn quantiles_are_ranks() {
        let mut all: Vec<Duration> = (0..=100).map(Duration::from_millis).collect();
        assert!((quantile_ms(&mut all, 0.99) - 99.0).abs() < 1e-9);
        assert!(quantile_ms(&mut [], 0.5).is_nan());
    }
}
