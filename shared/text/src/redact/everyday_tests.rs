//! Forms that people write every day and the public sets do not have.

use super::tests::{all, redacted};

#[test]
fn national_telephone_numbers_beside_words_for_calling() {
    all(&[
        ("please call 0171 2345678", "please call [phone]"),
        ("ring 030 901820 after nine", "ring [phone] after nine"),
        ("call me: 07700 900123.", "call me: [phone]."),
        ("Rufen Sie an: 089 / 1234567", "Rufen Sie an: [phone]"),
        ("bitte anrufen unter 0176 12345678", "bitte anrufen unter [phone]"),
        ("Sie erreichen uns unter 030 - 90 18 20", "Sie erreichen uns unter [phone]"),
        ("mon tél 0612345678", "mon tél [phone]"),
        ("appelez le 0612345678 svp", "appelez le [phone] svp"),
        ("Rappelez-nous au 06 12 34 56 78", "Rappelez-nous au [phone]"),
        ("llámeme al 612345678", "llámeme al [phone]"),
        ("Llame al 612 345 678", "Llame al [phone]"),
        ("mi número es 912 345 678", "mi número es [phone]"),
        ("ligue para 912 345 678", "ligue para [phone]"),
        ("o meu número: 912345678", "o meu número: [phone]"),
        ("chiamami al 347 1234567", "chiamami al [phone]"),
        ("chiamate lo 06 12345678", "chiamate lo [phone]"),
    ]);
}

#[test]
fn the_secret_half_of_an_access_key() {
    let (id, secret) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    for (text, wanted) in [
        (format!("AWS key {id} and secret {secret}"), "AWS key [cloud_key] and secret [cloud_key]"),
        (format!("{id} {secret}"), "[cloud_key] [cloud_key]"),
        (format!("{secret}, {id}"), "[cloud_key], [cloud_key]"),
        (format!("{id}\n{secret}\n"), "[cloud_key]\n[cloud_key]\n"),
        (format!("our secret is {secret}."), "our secret is [cloud_key]."),
        (format!("der geheime Schlüssel {secret}"), "der geheime Schlüssel [cloud_key]"),
        (format!("La clé secrète : {secret}"), "La clé secrète : [cloud_key]"),
        (format!("secret /{}", &secret[1..]), "secret [cloud_key]"),
        (format!("secret 7{}", &secret[1..]), "secret [cloud_key]"),
    ] {
        assert_eq!(redacted(&text), wanted, "for {text:?}");
    }
}
