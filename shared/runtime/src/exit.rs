//! Exit codes that mean something to scripts and supervisors.

/// All went well.
pub const OK: u8 = 0;
/// Some of what was asked failed: `send` had events rejected, `doctor` found something broken.
pub const FAILED: u8 = 1;
/// The command line was wrong.
pub const WRONG_USE: u8 = 2;
/// The server or broker can't be reached.
pub const UNREACHABLE: u8 = 4;
/// The configuration is wrong; starting again will not help.
pub const WRONG_CONFIGURATION: u8 = 64;
/// A service stopped by itself: the supervisor should start the process again.
pub const SERVICE_FAILED: u8 = 70;
