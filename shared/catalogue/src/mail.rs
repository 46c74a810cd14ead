//! E-mail domains that tell nothing about an organisation.

/// Providers that anybody has an address at.
const PUBLIC: &[&str] = &[
    "126.com",
    "163.com",
    "aol.com",
    "fastmail.com",
    "gmail.com",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "hotmail.it",
    "icloud.com",
    "inbox.ru",
    "laposte.net",
    "libero.it",
    "live.com",
    "mac.com",
    "mail.com",
    "mail.ru",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "outlook.fr",
    "pm.me",
    "posteo.de",
    "proton.me",
    "protonmail.com",
    "qq.com",
    "rediffmail.com",
    "t-online.de",
    "tutanota.com",
    "web.de",
    "yahoo.co.in",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.de",
    "yahoo.fr",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
];

/// A domain in lower case; none if it is a public mail provider's or no domain.
#[must_use]
pub fn company_domain(domain: &str) -> Option<String> {
    let domain = domain.trim().trim_start_matches('@').trim_end_matches('.').to_lowercase();
    (domain.contains('.') && PUBLIC.binary_search(&domain.as_str()).is_err()).then_some(domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_sorted_and_ignored() {
        assert!(PUBLIC.is_sorted());
        assert_eq!(company_domain(" @ACME.example. "), Some("acme.example".into()));
        assert_eq!(company_domain("GMail.com"), None);
        assert_eq!(company_domain("localhost"), None);
    }
}
