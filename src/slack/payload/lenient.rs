//! Values that may be there, in whatever shape: what has another shape counts as absent.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// A text without NUL, which PostgreSQL can't keep; an empty one counts as absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Text(Option<String>);

impl Text {
    pub(super) fn get(&self) -> Option<&str> {
        self.0.as_deref()
    }

    pub(super) fn take(self) -> Option<String> {
        self.0
    }
}

impl From<String> for Text {
    fn from(mut text: String) -> Self {
        // Looked for first: that is much faster in a body of 30 KB than to go through all of it.
        if text.contains('\0') {
            text.retain(|c| c != '\0');
        }
        Self((!text.is_empty()).then_some(text))
    }
}

/// An object.
#[derive(Clone, Debug)]
pub(super) struct Maybe<T>(Option<T>);

impl<T> Default for Maybe<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> Maybe<T> {
    pub(super) fn as_ref(&self) -> Option<&T> {
        self.0.as_ref()
    }

    pub(super) fn take(self) -> Option<T> {
        self.0
    }
}

/// The objects of an array.
#[derive(Clone, Debug)]
pub(super) struct List<T>(pub(super) Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// A truth, also where it is written as a text.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flag(pub(super) bool);

/// What is made of each shape that JSON has; what is not named is `other`.
trait Shape<'de>: Sized {
    type Value;
    fn other(self) -> Self::Value;
    fn text(self, _text: &str) -> Self::Value {
        self.other()
    }
    fn truth(self, _truth: bool) -> Self::Value {
        self.other()
    }
    fn object<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.other())
    }
    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.other())
    }
}

struct Any<S>(S);

impl<'de, S: Shape<'de>> Visitor<'de> for Any<S> {
    type Value = S::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(self.0.truth(truth))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(self.0.other())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(self.0.other())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(self.0.other())
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(self.0.text(text))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(self.0.other())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.object(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        self.0.array(items)
    }
}

struct OfText;

impl<'de> Shape<'de> for OfText {
    type Value = Text;

    fn other(self) -> Text {
        Text::default()
    }

    fn text(self, text: &str) -> Text {
        Text::from(text.to_owned())
    }
}

struct OfFlag;

impl<'de> Shape<'de> for OfFlag {
    type Value = Flag;

    fn other(self) -> Flag {
        Flag(false)
    }

    fn text(self, text: &str) -> Flag {
        Flag(text == "true")
    }

    fn truth(self, truth: bool) -> Flag {
        Flag(truth)
    }
}

struct OfMaybe<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Shape<'de> for OfMaybe<T> {
    type Value = Maybe<T>;

    fn other(self) -> Maybe<T> {
        Maybe(None)
    }

    fn object<A: MapAccess<'de>>(self, map: A) -> Result<Maybe<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|value| Maybe(Some(value)))
    }
}

struct OfList<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Shape<'de> for OfList<T> {
    type Value = List<T>;

    fn other(self) -> List<T> {
        List(Vec::new())
    }

    fn array<A: SeqAccess<'de>>(self, mut items: A) -> Result<List<T>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Maybe<T>>()? {
            list.extend(item.0);
        }
        Ok(List(list))
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any(OfText))
    }
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any(OfFlag))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Maybe<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any(OfMaybe(PhantomData)))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any(OfList(PhantomData)))
    }
}
