//! Where the decoder takes more than the schema asks for, because the meaning is beyond doubt.
//!
//! - A blank text counts as absent; blanks around a text are cut off.
//! - An id may be a whole number: `"ticket_id": 4711` means `"4711"`.
//! - A version may be a whole number, never a fraction: `2.10` would silently become `2.1`.
//! - A number may come as text in JSON notation: `"status": "200"`; a whole number may have a zero fraction: `200.0`.
//! - A list may be null: it is empty then.
//!
//! Everything else that does not fit its field is an error.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Unexpected, Visitor};

/// What a text field takes besides text.
trait Rule {
    const EXPECTING: &'static str;
    const WHOLE_NUMBERS: bool;
}

struct TextOnly;
struct Id;
struct Version;

impl Rule for TextOnly {
    const EXPECTING: &'static str = "a text";
    const WHOLE_NUMBERS: bool = false;
}

impl Rule for Id {
    const EXPECTING: &'static str = "a text or a whole number";
    const WHOLE_NUMBERS: bool = true;
}

impl Rule for Version {
    const EXPECTING: &'static str = "a text (write a version with a dot as text, or 2.10 becomes 2.1)";
    const WHOLE_NUMBERS: bool = true;
}

struct Text<R>(PhantomData<R>);

impl<'de, R: Rule> Visitor<'de> for Text<R> {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(R::EXPECTING)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        let text = text.trim();
        Ok((!text.is_empty()).then(|| text.to_owned()))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        if R::WHOLE_NUMBERS { Ok(Some(number.to_string())) } else { Err(E::invalid_type(Unexpected::Unsigned(number), &self)) }
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        if R::WHOLE_NUMBERS { Ok(Some(number.to_string())) } else { Err(E::invalid_type(Unexpected::Signed(number), &self)) }
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

pub(crate) fn text<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    d.deserialize_any(Text::<TextOnly>(PhantomData))
}

pub(crate) fn id<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    d.deserialize_any(Text::<Id>(PhantomData))
}

pub(crate) fn version<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    d.deserialize_any(Text::<Version>(PhantomData))
}

/// Blank stays blank here; the check of the whole payload says that it is missing.
pub(crate) fn required_id<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    id(d).map(Option::unwrap_or_default)
}

pub(crate) fn required_text<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    text(d).map(Option::unwrap_or_default)
}

pub(crate) fn required_version<'de, D: Deserializer<'de>>(d: D) -> Result<String, D::Error> {
    version(d).map(Option::unwrap_or_default)
}

struct Number;

impl<'de> Visitor<'de> for Number {
    type Value = Option<f64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Some(number))
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON numbers are read as doubles by most programs anyway")]
    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "JSON numbers are read as doubles by most programs anyway")]
    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Some(number as f64))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match serde_json::from_str::<f64>(text) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(E::invalid_type(Unexpected::Other("text"), &self)),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

pub(crate) fn number<'de, D: Deserializer<'de>>(d: D) -> Result<Option<f64>, D::Error> {
    d.deserialize_any(Number)
}

pub(crate) fn required_number<'de, D: Deserializer<'de>>(d: D) -> Result<f64, D::Error> {
    number(d)?.ok_or_else(|| D::Error::invalid_type(Unexpected::Unit, &Number))
}

/// The word that tells a number out of range from a value of the wrong type, see `json::data_reject`.
pub(crate) const NOT_WHOLE: &str = "a whole number within its range";

struct Whole<T>(PhantomData<T>);

impl<'de, T: TryFrom<u64>> Visitor<'de> for Whole<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NOT_WHOLE)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
        T::try_from(number).map(Some).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
        Err(E::invalid_value(Unexpected::Signed(number), &self))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, not negative and below 2^53")]
    fn visit_f64<E: Error>(self, number: f64) -> Result<Self::Value, E> {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.fract() == 0.0 && (0.0..EXACT).contains(&number) {
            self.visit_u64(number as u64)
        } else {
            Err(E::invalid_value(Unexpected::Float(number), &self))
        }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        match serde_json::from_str::<u64>(text) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_type(Unexpected::Other("text"), &self)),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

pub(crate) fn whole<'de, D: Deserializer<'de>, T: TryFrom<u64>>(d: D) -> Result<Option<T>, D::Error> {
    d.deserialize_any(Whole(PhantomData))
}

pub(crate) fn list<'de, D: Deserializer<'de>, T: Deserialize<'de>>(d: D) -> Result<Vec<T>, D::Error> {
    Option::<Vec<T>>::deserialize(d).map(Option::unwrap_or_default)
}

pub(crate) fn ids<'de, D: Deserializer<'de>>(d: D) -> Result<Vec<String>, D::Error> {
    struct Ids;
    impl<'de> Visitor<'de> for Ids {
        type Value = Vec<String>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of texts or whole numbers")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            let mut ids = Vec::new();
            while let Some(OneId(id)) = items.next_element()? {
                ids.extend(id);
            }
            Ok(ids)
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(Vec::new())
        }
    }
    d.deserialize_any(Ids)
}

struct OneId(Option<String>);

impl<'de> Deserialize<'de> for OneId {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        id(d).map(Self)
    }
}
