//! Keys and tokens that tell by their form what they are: those of known providers, JSON web tokens and private keys.

use super::Kind;
use super::bytes::{Hit, before, byte, has_ignoring_case, is_word, run};

/// How the rest of a key looks.
#[derive(Clone, Copy)]
enum Rest {
    /// So many capitals and digits, and no more.
    Capitals(usize),
    /// So many hex digits, and no more.
    Hex(usize),
    /// At least so many letters, digits, `_` and `-`.
    Word(usize),
    /// At least so many of those, and dots.
    Dotted(usize),
    /// At least so many letters and digits, digits among them.
    Plain(usize),
}

/// Prefix, and what must follow. Publishable keys and ids of accounts are not secret and not listed.
const FORMATS: &[(&str, Rest)] = &[
    // AWS: access keys, and temporary, bearer and context ones.
    ("AKIA", Rest::Capitals(16)),
    ("ASIA", Rest::Capitals(16)),
    ("ABIA", Rest::Capitals(16)),
    ("ACCA", Rest::Capitals(16)),
    ("ABSK", Rest::Plain(100)),
    // Google: API key, OAuth token, client secret.
    ("AIza", Rest::Word(30)),
    ("ya29.", Rest::Dotted(20)),
    ("GOCSPX-", Rest::Word(20)),
    // Code hosting and packages.
    ("ghp_", Rest::Plain(30)),
    ("gho_", Rest::Plain(30)),
    ("ghu_", Rest::Plain(30)),
    ("ghs_", Rest::Plain(30)),
    ("ghr_", Rest::Plain(30)),
    ("github_pat_", Rest::Word(36)),
    ("glpat-", Rest::Dotted(20)),
    ("glptt-", Rest::Word(20)),
    ("gldt-", Rest::Word(20)),
    ("glrt-", Rest::Word(20)),
    ("npm_", Rest::Plain(30)),
    ("pypi-AgE", Rest::Word(30)),
    ("ATATT3", Rest::Word(40)),
    ("ATBB", Rest::Plain(24)),
    // Chat.
    ("xoxb-", Rest::Word(20)),
    ("xoxp-", Rest::Word(20)),
    ("xoxa-", Rest::Word(20)),
    ("xoxr-", Rest::Word(20)),
    ("xoxs-", Rest::Word(20)),
    ("xoxe-", Rest::Word(20)),
    ("xoxe.", Rest::Dotted(20)),
    ("xapp-", Rest::Word(20)),
    // Payment.
    ("sk_live_", Rest::Plain(10)),
    ("sk_test_", Rest::Plain(10)),
    ("rk_live_", Rest::Plain(10)),
    ("rk_test_", Rest::Plain(10)),
    ("whsec_", Rest::Word(16)),
    ("sq0atp-", Rest::Word(22)),
    ("sq0csp-", Rest::Word(40)),
    ("EAAAE", Rest::Word(50)),
    ("shpat_", Rest::Hex(32)),
    ("shpca_", Rest::Hex(32)),
    ("shppa_", Rest::Hex(32)),
    ("shpss_", Rest::Hex(32)),
    ("access_token$production$", Rest::Word(20)),
    // Mail and messages.
    ("SG.", Rest::Dotted(40)),
    ("key-", Rest::Hex(32)),
    ("xkeysib-", Rest::Word(40)),
    ("SK", Rest::Hex(32)),
    ("re_", Rest::Word(24)),
    // Models.
    ("sk-ant-", Rest::Word(20)),
    ("sk-proj-", Rest::Word(20)),
    ("sk-", Rest::Plain(32)),
    ("hf_", Rest::Plain(30)),
    ("r8_", Rest::Plain(36)),
    // Hosting, data and operations.
    ("dop_v1_", Rest::Hex(64)),
    ("doo_v1_", Rest::Hex(64)),
    ("dor_v1_", Rest::Hex(64)),
    ("hvs.", Rest::Word(24)),
    ("hvb.", Rest::Word(24)),
    ("dapi", Rest::Hex(32)),
    ("dp.pt.", Rest::Plain(40)),
    ("dp.st.", Rest::Dotted(40)),
    ("glsa_", Rest::Word(32)),
    ("glc_", Rest::Word(32)),
    ("pscale_tkn_", Rest::Dotted(30)),
    ("pscale_pw_", Rest::Dotted(30)),
    ("sbp_", Rest::Hex(40)),
    ("sntrys_", Rest::Word(40)),
    ("NRAK-", Rest::Capitals(27)),
    ("HRKU-", Rest::Word(30)),
    ("tfp_", Rest::Word(40)),
    ("fo1_", Rest::Word(40)),
    ("vercel_", Rest::Word(24)),
    // Work.
    ("lin_api_", Rest::Plain(32)),
    ("ntn_", Rest::Plain(40)),
    ("PMAK-", Rest::Word(40)),
    ("figd_", Rest::Word(36)),
    ("secret_", Rest::Plain(40)),
    ("EAACEdEose0cBA", Rest::Plain(20)),
    ("pat-na1-", Rest::Word(36)),
    ("pat-eu1-", Rest::Word(36)),
];

/// Longest provider's key.
const LONGEST: usize = 512;
/// Longest part of a JSON web token.
const LONGEST_PART: usize = 8192;

/// The formats by their first byte.
#[derive(Clone, Debug)]
pub(super) struct Formats {
    /// For each first byte, which second bytes there are; most words end here.
    second: [u128; 128],
    /// For each first byte, where its formats are in `sorted`.
    by_first: [(u8, u8); 128],
    sorted: Vec<usize>,
}

impl Formats {
    pub(super) fn new() -> Self {
        let mut sorted: Vec<usize> = (0..FORMATS.len()).collect();
        sorted.sort_by_key(|i| FORMATS[*i].0.as_bytes()[0]);
        let mut by_first = [(0, 0); 128];
        for (place, format) in sorted.iter().enumerate() {
            let place = u8::try_from(place).unwrap_or(u8::MAX);
            let range: &mut (u8, u8) = &mut by_first[usize::from(FORMATS[*format].0.as_bytes()[0] & 127)];
            *range = if range.1 == 0 { (place, place + 1) } else { (range.0, place + 1) };
        }
        let mut second = [0; 128];
        for (prefix, _) in FORMATS {
            if let [a, b, ..] = prefix.as_bytes() {
                second[usize::from(*a & 127)] |= 1 << (b & 127);
            }
        }
        Self { second, by_first, sorted }
    }

    /// A provider's key that starts at `at`, the first letter of a word.
    pub(super) fn find(&self, bytes: &[u8], at: usize) -> Option<Hit> {
        let second = byte(bytes, at + 1);
        if !second.is_ascii() || self.second[usize::from(byte(bytes, at) & 127)] & (1 << second) == 0 {
            return None;
        }
        if is_word(before(bytes, at)) || before(bytes, at) == b'-' {
            return None;
        }
        let (from, to) = *self.by_first.get(usize::from(byte(bytes, at)))?;
        let candidates = self.sorted.get(usize::from(from)..usize::from(to))?;
        let fits = |format: &usize| FORMATS.get(*format).and_then(|(prefix, rest)| ends(bytes, at, prefix.as_bytes(), *rest));
        candidates.iter().find_map(fits).map(|end| Hit::new(Kind::CloudKey, at, end))
    }
}

fn ends(bytes: &[u8], at: usize, prefix: &[u8], rest: Rest) -> Option<usize> {
    let start = at + prefix.len();
    if bytes.get(at..start) != Some(prefix) {
        return None;
    }
    let word = |b: u8| is_word(b) || b == b'-';
    let exactly = |n: usize, is: fn(u8) -> bool| {
        let end = run(bytes, start, n + 1, is);
        (end == start + n && !is_word(byte(bytes, end))).then_some(end)
    };
    let at_least = |n: usize, end: usize| {
        // Words in prose, and names of variables, have no digits so long on.
        let digits = bytes.get(start..end).unwrap_or_default().iter().filter(|b| b.is_ascii_digit()).count();
        (end >= start + n && digits > n / 32).then_some(end)
    };
    match rest {
        Rest::Capitals(n) => exactly(n, |b| b.is_ascii_uppercase() || b.is_ascii_digit()),
        Rest::Hex(n) => exactly(n, |b| b.is_ascii_hexdigit()),
        Rest::Word(n) => at_least(n, run(bytes, start, LONGEST, word)),
        Rest::Plain(n) => at_least(n, run(bytes, start, LONGEST, |b| b.is_ascii_alphanumeric())),
        Rest::Dotted(n) => at_least(n, trim_dots(bytes, start, run(bytes, start, LONGEST, |b| word(b) || b == b'.'))),
    }
}

fn trim_dots(bytes: &[u8], start: usize, end: usize) -> usize {
    (start..end).rev().find(|i| byte(bytes, *i) != b'.').map_or(start, |i| i + 1)
}

/// A JSON web token (three parts, five when encrypted, two when cut or unsigned) that starts at `at` with `eyJ`, which is `{"` in base64.
pub(super) fn jwt(bytes: &[u8], at: usize) -> Option<Hit> {
    let part = |from: usize| run(bytes, from, LONGEST_PART, |b| is_word(b) || b == b'-');
    let left = before(bytes, at);
    if bytes.get(at..at + 3) != Some(b"eyJ") || is_word(left) || left == b'-' {
        return None;
    }
    let mut end = part(at);
    let mut parts = 1;
    if end - at < 12 {
        return None;
    }
    while parts < 5 && byte(bytes, end) == b'.' && (part(end + 1) > end + 1 || parts == 3) {
        end = part(end + 1);
        parts += 1;
    }
    let second = at + 1 + bytes.get(at..end)?.iter().position(|b| *b == b'.')?;
    (parts >= 3 || bytes.get(second..second + 3) == Some(b"eyJ")).then(|| Hit::new(Kind::Jwt, at, end))
}

/// An Azure client secret: three characters, a digit, `Q~`, and 31 to 34 more. `tilde` is the `~`.
pub(super) fn azure_secret(bytes: &[u8], tilde: usize, floor: usize) -> Option<Hit> {
    let start = tilde.checked_sub(5).filter(|s| *s >= floor)?;
    let is = |b: u8| is_word(b) || matches!(b, b'~' | b'.' | b'-');
    let head = bytes.get(start..tilde)?;
    let shaped = head.iter().all(|b| is(*b)) && head.get(3).is_some_and(u8::is_ascii_digit) && head.get(4) == Some(&b'Q');
    let end = trim_dots(bytes, tilde + 1, run(bytes, tilde + 1, 40, is));
    (shaped && (31..=34).contains(&(end - tilde - 1)) && !is(before(bytes, start))).then(|| Hit::new(Kind::CloudKey, start, end))
}

/// The secret half of an AWS access key: 40 characters of base64, which say nothing of themselves. So an access key or a word for
/// secret must stand near. `at` is the first letter or digit of a word, `end` is behind it.
pub(super) fn aws_secret(bytes: &[u8], at: usize, end: usize, floor: usize) -> Option<Hit> {
    const LENGTH: usize = 40;
    let is = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'/' | b'+');
    // Most words end here.
    if !matches!(byte(bytes, end), b'/' | b'+') && end < at + LENGTH - 1 {
        return None;
    }
    let start = if matches!(before(bytes, at), b'/' | b'+') && at > floor { at - 1 } else { at };
    let stop = run(bytes, start, LENGTH + 1, is);
    let around = [before(bytes, start), byte(bytes, stop)];
    if stop != start + LENGTH || around.into_iter().any(|b| is(b) || matches!(b, b'_' | b'-')) {
        return None;
    }
    (is_random(bytes.get(start..stop)?) && beside_a_secret(bytes, start, stop)).then(|| Hit::new(Kind::CloudKey, start, stop))
}

/// Capitals, small letters and digits in such disorder as paths and names have not: of 40 characters drawn at random some 25
/// are of another class than the one before, and some 12 are digits or capitals after capitals.
fn is_random(text: &[u8]) -> bool {
    const LEAST_CHANGES: usize = 13;
    const LEAST_ODD: usize = 4;
    let class = |b: &u8| (b.is_ascii_uppercase(), b.is_ascii_lowercase(), b.is_ascii_digit());
    let changes = text.windows(2).filter(|pair| class(&pair[0]) != class(&pair[1])).count();
    let digits = text.iter().filter(|b| b.is_ascii_digit()).count();
    let capitals = text.windows(2).filter(|pair| pair.iter().all(u8::is_ascii_uppercase)).count();
    text.iter().any(u8::is_ascii_lowercase) && digits > 0 && capitals > 0 && changes >= LEAST_CHANGES && digits + capitals >= LEAST_ODD
}

/// Whether an access key of AWS, or a word for secret, stands on the same line or the one next to it.
fn beside_a_secret(bytes: &[u8], start: usize, end: usize) -> bool {
    const REACH: usize = 160;
    const WORDS: [&[u8]; 5] = [b"secret", b"geheim", "secr\u{e8}te".as_bytes(), b"segret", b"segredo"];
    let breaks = |seen: &mut u8, b: u8| {
        *seen += u8::from(b == b'\n');
        *seen < 2
    };
    let left = bytes.get(start.saturating_sub(REACH)..start).unwrap_or_default();
    let right = bytes.get(end..bytes.len().min(end + REACH)).unwrap_or_default();
    let (mut above, mut below) = (0, 0);
    let left = left.len() - left.iter().rev().take_while(|b| breaks(&mut above, **b)).count()..left.len();
    let right = right.iter().take_while(|b| breaks(&mut below, **b)).count();
    let stretches = [bytes.get(start - left.len()..start), bytes.get(end..end + right)];
    let access_key = |rest: &[u8]| {
        let key = rest.get(..20).is_some_and(|k| k.iter().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()));
        key && (rest.starts_with(b"AKIA") || rest.starts_with(b"ASIA")) || rest.starts_with(b"[cloud_key]")
    };
    let says = |rest: &[u8]| access_key(rest) || WORDS.iter().any(|w| has_ignoring_case(rest, 0, w));
    stretches.into_iter().flatten().any(|stretch| (0..stretch.len()).any(|i| says(&stretch[i..])))
}

/// The secret path of an incoming webhook of Slack, Discord or Microsoft Teams; `at` is the first letter of its host.
pub(super) fn webhook(bytes: &[u8], at: usize) -> Option<Hit> {
    let hosts =
        [&b"hooks.slack.com/services/"[..], b"discord.com/api/webhooks/", b"discordapp.com/api/webhooks/", b"outlook.office.com/webhook/"];
    let host = hosts.into_iter().find(|h| bytes.get(at..at + h.len()) == Some(*h))?;
    let start = at + host.len();
    let end = run(bytes, start, 512, |b| is_word(b) || matches!(b, b'/' | b'-' | b'@'));
    (end >= start + 20).then(|| Hit::new(Kind::CloudKey, start, end))
}

/// A private key in PEM form whose dashes start at `at`. A key that is cut off is found up to where its lines end.
pub(super) fn private_key(bytes: &[u8], at: usize) -> Option<Hit> {
    const BEGIN: &[u8] = b"-----BEGIN ";
    const END: &[u8] = b"-----END ";
    // An RSA key of 16,384 bits has 12,500 characters.
    const LONGEST_KEY: usize = 16_384;
    if bytes.get(at..at + BEGIN.len()) != Some(BEGIN) {
        return None;
    }
    let label = at + BEGIN.len();
    let body = run(bytes, label, 40, |b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b' ');
    bytes.get(label..body)?.windows(11).find(|w| *w == b"PRIVATE KEY")?;
    let rest = bytes.get(body..bytes.len().min(body + LONGEST_KEY))?;
    let dashes = rest.windows(BEGIN.len()).position(|w| w.starts_with(END) || w == BEGIN);
    let end = match dashes.map(|d| body + d).filter(|d| bytes.get(*d..d + END.len()) == Some(END)) {
        Some(end) => run(bytes, run(bytes, end + END.len(), 40, |b| b.is_ascii_uppercase() || b == b' '), 5, |b| b == b'-'),
        None => cut_off_end(bytes, body),
    };
    Some(Hit::new(Kind::PrivateKey, at, end))
}

/// The end of the lines of a key without an end: long enough runs of base64, with line breaks, real or escaped, between them.
fn cut_off_end(bytes: &[u8], body: usize) -> usize {
    let mut end = run(bytes, body, 5, |b| b == b'-');
    loop {
        let line = run(bytes, end, 4, |b| matches!(b, b'\n' | b'\r' | b' '));
        let line = if bytes.get(line..line + 2) == Some(b"\\n") { line + 2 } else { line };
        let stop = run(bytes, line, usize::MAX, |b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
        if stop < line + 16 {
            return end;
        }
        end = stop;
    }
}
