//! What can be found.

macro_rules! kinds {
    ($($variant:ident = $name:literal, $doc:literal;)*) => {
        /// What was found and replaced.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind { $(#[doc = $doc] $variant,)* }

        impl Kind {
            /// Every kind there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The stable name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is replaced by: the name in square brackets.
            #[must_use]
            pub fn placeholder(self) -> &'static str {
                match self { $(Self::$variant => concat!("[", $name, "]"),)* }
            }

            /// One sentence for the documentation.
            #[must_use]
            pub fn doc(self) -> &'static str {
                match self { $(Self::$variant => $doc,)* }
            }
        }
    };
}

kinds! {
    Email = "email", "An e-mail address, internationalised ones included.";
    Phone = "phone", "A telephone number in international or national form.";
    Card = "card", "A payment card number: known issuer, right length, right check digit.";
    Iban = "iban", "An international bank account number: length of its country, right check digits.";
    Ip = "ip", "An IPv4 or IPv6 address of a machine.";
    Mac = "mac", "A hardware (MAC) address.";
    NationalId = "national_id", "A US social security or tax number, a Brazilian CPF, or a British national insurance number.";
    Name = "name", "A name given by the caller.";
    Token = "token", "The value of an authorisation header.";
    Jwt = "jwt", "A JSON web token.";
    CloudKey = "cloud_key", "A key or token in the format of a known provider.";
    PrivateKey = "private_key", "A private key in PEM form.";
    UrlCredentials = "url_credentials", "User and password, or a token, before the host of a URL.";
    Secret = "secret", "The value given to a password, key or token by its name.";
}
