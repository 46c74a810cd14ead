use proptest::prelude::*;

use super::*;

pub(super) fn redacted(text: &str) -> String {
    Redactor::new().redact(text, &[]).text.into_owned()
}

/// Every pair: what goes in, what must come out.
pub(super) fn all(cases: &[(&str, &str)]) {
    for (text, wanted) in cases {
        assert_eq!(redacted(text), *wanted, "for {text:?}");
    }
}

/// Texts that must not be touched.
fn stay(texts: &[&str]) {
    for text in texts {
        assert_eq!(redacted(text), *text);
    }
}

#[test]
fn addresses_of_people() {
    all(&[
        ("write to ann.lee+api@example.co.uk.", "write to [email]."),
        ("<mailto:ann@example.com>", "<mailto:[email]>"),
        ("mail=ann%40example.com&x=1", "mail=[email]&x=1"),
        ("Jürgen: jürgen.müller@büro.de", "Jürgen: [email]"),
        ("連絡先はann@example.comです", "連絡先は[email]です"),
        ("user@xn--80ak6aa92e.com and почта@пример.рф", "[email] and [email]"),
        ("4155550132@sms.example.com", "[email]"),
        ("{\"email\":\"ann@example.com\"}", "{\"email\":\"[email]\"}"),
    ]);
    stay(&[
        "git@github.com:org/repo.git",
        "lodash@4.17.21 and @types/node@18.0.0",
        "icon@2x.png",
        "@Override public void x()",
        "abfss://container@account.dfs.core.windows.net/x",
        "hive/node1.example.com@REALM.COM",
        "org.example.Foo@1a2b3c4d",
        "a @ b.c",
        "x@y",
    ]);
}

#[test]
fn payment_cards() {
    all(&[
        ("card 4111 1111 1111 1111, exp 12/29", "card [card], exp 12/29"),
        ("4012888888881881 4012-8888-8888-1881", "[card] [card]"),
        ("amex 3714 496353 98431", "amex [card]"),
        ("カード番号4111111111111111です", "カード番号[card]です"),
        ("\"number\":\"5555555555554444\"", "\"number\":\"[card]\""),
        ("my card 4131034282458809939 is lost", "my card [card] is lost"),
    ]);
    stay(&[
        "4111 1111 1111 1112",
        "block 1073741825 of 4111111111111111111111",
        "id_4111111111111111",
        "ts 1609459200000, 1609459200123456",
        "0.4111111111111111",
        "uuid 41111111-1111-4111-8111-111111111111",
    ]);
}

#[test]
fn telephone_numbers() {
    all(&[
        ("call +1 (415) 555-0132 now", "call [phone] now"),
        ("+44 (0)20 7946 0958", "[phone]"),
        ("Reach me at 415.555.0132 x12", "Reach me at [phone]"),
        ("(415) 555-0132", "[phone]"),
        ("Tel: 030 1234567", "Tel: [phone]"),
        ("0171/1234567 or 01 23 45 67 89", "[phone] or [phone]"),
        ("my mobile is 9876543210", "my mobile is [phone]"),
        ("please call me back on 9472 7916", "please call me back on [phone]"),
        ("我的电话是13812345678", "我的电话是[phone]"),
        ("001-518-640-0854", "[phone]"),
        ("05321234567 or 0-532-123-45-67", "[phone] or [phone]"),
    ]);
    stay(&[
        "each call took 0171 2345 ms of 012 / 345",
        "the calls 0912345678 of APIs; call id 0171 2345678",
        "calls from 089 / 1234567 to 030 - 901820",
        "error code 0171 2345678 in the call",
        "order 9876543210 failed",
        "2024-03-01 12:30:00,123 and 01-02-2013 10:11",
        "version 10.15.7 build 19H2",
        "line 12345678, bytes 104857600",
        "timestamp 1709294400",
        "the phone app's order id is 12345678",
        "Error 500 123 4567",
        "offset +0530, diff +1234567",
        "digits 01234567890, padded 00000123456",
        "order 05321234567",
        "limits: 1000 2000 30000",
        "HADOOP-17404 took 1234567890 ns",
        "https://example.com/phone/questions/52011697",
    ]);
}

#[test]
fn accounts_and_national_numbers() {
    all(&[
        ("IBAN GB82 WEST 1234 5698 7654 32.", "IBAN [iban]."),
        ("de89370400440532013000", "[iban]"),
        ("SSN: 078-05-1120", "SSN: [national_id]"),
        ("CPF 529.982.247-25", "CPF [national_id]"),
        ("national insurance AB 12 34 56 C", "national insurance [national_id]"),
    ]);
    stay(&["GB82 WEST 1234 5698 7654 33", "000-12-3456", "529.982.247-26", "AB123456C"]);
}

#[test]
fn addresses_of_machines() {
    all(&[
        ("from 203.0.113.9:443", "from [ip]:443"),
        ("http://10.0.0.5/x", "http://[ip]/x"),
        ("node1.example.com/172.16.4.9:8020", "node1.example.com/[ip]:8020"),
        ("net 192.168.1.0/24", "net [ip]"),
        ("[2001:db8::1]:8080", "[[ip]]:8080"),
        ("via fe80::1, 2400:c401::5054:ff:fe1b:b031.", "via [ip], [ip]."),
        ("MAC 00:1A:2B:3C:4D:5E", "MAC [mac]"),
    ]);
    stay(&[
        "version 1.2.3.4 and v10.20.30.40",
        "HDP 3.1.0.0, jackson-databind 2.9.10.3",
        "Chrome/41.0.2272.101 Safari/537.36.1.2",
        "hadoop-192.1.3.4.jar",
        "bind 127.0.0.1 or 0.0.0.0, mask 255.255.255.0, ::1",
        "std::vec and Face::Add and a::b",
        "at 12:34:56, ratio 1:2:3",
        "sha a1b2c3d4e5f60718293a4b5c6d7e8f9001122334",
        "1.2.3.4.5",
    ]);
}

#[test]
fn keys_and_tokens() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U";
    let made = |prefix: &str, n: usize| format!("{prefix}{}", "a1B2c3D4e5".repeat(20).get(..n).unwrap_or_default());
    for key in [
        made("ghp_", 36),
        made("AIza", 35),
        made("sk_live_", 24),
        made("glpat-", 20),
        made("hf_", 34),
        made("npm_", 36),
        format!("AKIA{}", "ABCDEFGH12345678"),
    ] {
        assert_eq!(redacted(&format!("key is {key}, ok")), "key is [cloud_key], ok", "for {key}");
        assert_eq!(redacted(&format!("api_key={key}")), "api_key=[cloud_key]");
    }
    all(&[
        (&format!("got {jwt} back"), "got [jwt] back"),
        (&format!("Authorization: Bearer {jwt}"), "Authorization: Bearer [jwt]"),
        ("Authorization: Bearer 0a1b2c3d4e5f", "Authorization: Bearer [token]"),
        ("curl -H 'Authorization: Basic dXNlcjpwYXNzd29yZA=='", "curl -H 'Authorization: Basic [token]'"),
        ("https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnop1234", "https://hooks.slack.com/services/[cloud_key]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA\n-----END RSA PRIVATE KEY-----\nthen", "[private_key]\nthen"),
        ("key: -----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQ", "key: [private_key]"),
        ("bot 123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1", "bot [cloud_key]"),
    ]);
    stay(&[
        // 40 characters without an access key or a word for secret beside them; and paths, names and hashes beside one.
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "secret: see src/main/java/org/Example2Store/Main1",
        "the secret of commit a1b2c3d4e5f60718293a4b5c6d7e8f9001122334",
        "secret getUserByIdFromTheDatabaseAndCacheIt2day",
        "AKIAABCDEFGH1234567 and wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "a secret\n\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "Bearer token is missing; Bearer authentication; Basic auth",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "sk-learn and task-force-management-of-everything-we-do",
        "npm_config_registry, key-value, SG.foo",
    ]);
}

#[test]
fn assigned_secrets() {
    all(&[
        ("password=hunter2", "password=[secret]"),
        ("\"client_secret\": \"s3cr3t-value\"", "\"client_secret\": \"[secret]\""),
        ("postgres://app:pa55@db.example.com/x", "postgres://[url_credentials]@db.example.com/x"),
        ("GET /v1?api_key=9f8e7d6c5b&x=1", "GET /v1?api_key=[secret]&x=1"),
        ("X-Api-Key: 9f8e7d6c5b4a", "X-Api-Key: [secret]"),
        ("my password is Tr0ub4dor.", "my password is [secret]."),
        ("curl -u admin:hunter2 https://x", "curl -u admin:[secret] https://x"),
        ("Server=x;Password=correcthorse;", "Server=x;Password=[secret];"),
    ]);
    stay(&[
        "token = get_token()",
        "password: string, required",
        "connect(user=user, password=password)",
        "api_key=YOUR_API_KEY and ?key={key} and token=<token>",
        "if password == other: pass",
        "next_page_token=abc123456789",
        "max_tokens: 4096, tokens=1000",
        "the password was rejected",
        "\"password\": null, token: undefined",
    ]);
}

#[test]
fn names_of_the_requester() {
    let redactor = Redactor::new();
    let cases: &[(&str, &[&str], &str)] = &[
        ("Hi, I'm Ann Lee. ann's key", &["Ann Lee"], "Hi, I'm [name]. [name]'s key"),
        ("Announcement for annual plan", &["Ann"], "Announcement for annual plan"),
        ("This will fail, says Will", &["Will Smith"], "This will fail, says [name]"),
        ("Grüße, Jürgen Groß", &["Jürgen Groß"], "Grüße, [name]"),
        ("我是王伟,请帮忙", &["王伟"], "我是[name],请帮忙"),
        ("ann.lee@example.com", &["Ann Lee"], "[email]"),
        ("Anne-Marie and anne", &["Anne-Marie"], "[name] and anne"),
        ("email me", &["Email"], "[name] me"),
    ];
    for (text, names, wanted) in cases {
        assert_eq!(redactor.redact(text, names).text, *wanted);
        assert_eq!(redactor.redact(wanted, names).text, *wanted);
    }
}

#[test]
fn paths() {
    let redactor = Redactor::new();
    let jwt = "/s/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N";
    for (path, wanted) in [
        ("/v1/users/ann@example.com/keys", "/v1/users/[email]/keys"),
        ("/v1/users/ann%40example.com", "/v1/users/[email]"),
        ("/cards/4111111111111111/charge", "/cards/[card]/charge"),
        ("/sms/+14155550132", "/sms/[phone]"),
        ("/hosts/203.0.113.9", "/hosts/[ip]"),
        (jwt, "/s/[jwt]"),
        ("/app;jsessionid=1A2B3C4D5E6F", "/app;jsessionid=[secret]"),
    ] {
        assert_eq!(redactor.redact_path(path), wanted);
    }
    for path in [
        "",
        "/",
        "/v2/customers/12345/orders/98765",
        "/v1/items/41111111-1111-4111-8111-111111111111",
        "/repos/org/name/git/commits/a1b2c3d4e5f60718293a4b5c6d7e8f9001122334",
        "/reports/2024-03-01",
        "/api/1.2.3/files/app-1.2.3.tar.gz",
    ] {
        assert!(matches!(redactor.redact_path(path), Cow::Borrowed(p) if p == path), "{path}");
    }
}

#[test]
fn urls() {
    let redactor = Redactor::new();
    for (url, wanted) in [
        ("https://ann:pw@desk.example.com/t/1", "https://desk.example.com/t/1"),
        ("https://ann@desk.example.com/t/1", "https://desk.example.com/t/1"),
        ("https://x.example.com/t?token=abc&id=5", "https://x.example.com/t?token=[secret]&id=5"),
        ("https://x.example.com/t?a=1&sig=q%2Fz&key=k#top", "https://x.example.com/t?a=1&sig=[secret]&key=[secret]#top"),
        ("https://x.example.com/u/ann@example.com", "https://x.example.com/u/[email]"),
        ("https://x.example.com/t/123456789", "https://x.example.com/t/123456789"),
    ] {
        assert_eq!(redactor.redact_url(url), wanted);
        assert_eq!(redactor.redact_url(wanted), wanted);
    }
}

#[test]
fn counts_tell_what_was_found() {
    let redacted = Redactor::new().redact("a@b.com, c@d.com, 4111111111111111", &[]);
    assert_eq!(redacted.counts, vec![(Kind::Email, 2), (Kind::Card, 1)]);
    assert!(matches!(Redactor::new().redact("nothing here", &[]).text, Cow::Borrowed(_)));
}

/// Hard cases for a pass that looks back and ahead: pieces of everything, joined anyhow.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9 .@:/=+_-]{0,8}",
        "\\PC{0,4}",
        prop::sample::select(vec![
            "ann@example.com",
            "4111111111111111",
            "4111 1111",
            "+1 415 555 0132",
            "415-555-0132",
            "eyJhbGciOiJIUzI1NiJ9.",
            "AKIAABCDEFGH12345678",
            " wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY ",
            "call 0171 2345678",
            "089 / 1234567",
            "ghp_",
            "-----BEGIN PRIVATE KEY-----",
            "-----END PRIVATE KEY-----",
            "password=",
            "token: ",
            "Bearer ",
            "://",
            "[email]",
            "[phone]",
            "[",
            "]",
            "%40",
            "GB82WEST12345698765432",
            "2001:db8::1",
            "10.0.0.1",
            "00:1A:2B:3C:4D:5E",
            "\u{a0}",
            "é",
            "电话",
            "\"",
            "'",
            " phone ",
            "card ",
            "Ann",
            "Q~",
            "-u ",
        ])
        .prop_map(ToOwned::to_owned),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|p| p.concat())
}

/// A card number of a known issuer, with the right check digit.
fn card() -> impl Strategy<Value = String> {
    let range =
        prop::sample::select(vec![("4", 16), ("51", 16), ("2221", 16), ("6011", 16), ("3530", 16), ("34", 15), ("36", 14), ("4", 19)]);
    (range, prop::collection::vec(0_u32..10, 19)).prop_map(|((prefix, length), fill)| {
        let mut digits: Vec<u32> = prefix.chars().filter_map(|c| c.to_digit(10)).chain(fill).take(length - 1).collect();
        let sum: u32 = digits.iter().rev().enumerate().map(|(i, d)| if i % 2 == 0 { d * 2 / 10 + d * 2 % 10 } else { *d }).sum();
        digits.push((10 - sum % 10) % 10);
        digits.iter().filter_map(|d| char::from_digit(*d, 10)).collect()
    })
}

/// The number as people write it.
fn written(number: &str, how: usize) -> String {
    let sep = ["", " ", "-"][how % 3];
    let groups: Vec<String> = match number.len() {
        14 | 15 => vec![number[..4].into(), number[4..10].into(), number[10..].into()],
        _ => number.as_bytes().chunks(4).map(|c| String::from_utf8_lossy(c).into_owned()).collect(),
    };
    groups.join(sep)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_text_panics_and_twice_is_once(text in prop_oneof![pieces(), any::<String>()], named in any::<bool>()) {
        let redactor = Redactor::new();
        let names: &[&str] = if named { &["Ann Phone", "é"] } else { &[] };
        let once = redactor.redact(&text, names).text.into_owned();
        let twice = redactor.redact(&once, names);
        prop_assert_eq!(&twice.text, &once);
        prop_assert!(twice.counts.is_empty());
        let path = redactor.redact_path(&text).into_owned();
        prop_assert_eq!(redactor.redact_path(&path), path.as_str());
        let url = redactor.redact_url(&text).into_owned();
        prop_assert_eq!(redactor.redact_url(&url), url.as_str());
    }

    #[test]
    fn hits_are_in_order_and_on_characters(text in pieces()) {
        let mut floor = 0;
        for hit in Redactor::new().find(&text, &[]) {
            prop_assert!(hit.start >= floor && hit.start < hit.end && text.get(hit.start..hit.end).is_some());
            floor = hit.end;
        }
    }

    #[test]
    fn a_planted_address_vanishes(before in pieces(), local in "[a-z][a-z0-9._+-]{0,12}[a-z0-9]", after in pieces()) {
        let address = format!("{local}@mail.example.org");
        let text = format!("{before} {address} {after}");
        let out = redacted(&text);
        prop_assert!(!out.contains(&address) || before.contains(&address), "{out}");
    }

    #[test]
    fn a_planted_card_vanishes(before in "[a-zA-Z ,.:;()!?é中]{0,20}", number in card(), how in 0_usize..3, after in "[ ,.;:)!?é中][a-zA-Z ,.]{0,20}") {
        let written = written(&number, how);
        let out = redacted(&format!("{before} {written}{after}"));
        prop_assert!(!out.contains(&written), "{out}");
    }

    #[test]
    fn ids_of_machines_stay(uuid in "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", hash in "[0-9a-f]{39}[a-f]", version in "v[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,3}") {
        let text = format!("request {uuid} at commit {hash} in {version}: GET /v1/items/{uuid}");
        prop_assert_eq!(redacted(&text), text);
    }
}
