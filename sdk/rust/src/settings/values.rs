//! The values that settings are made of.

use std::collections::BTreeMap;

use crate::json::Json;
use crate::settings::Settings;
use crate::settings::shape::Kind;
use crate::settings::shape::Shape;

impl Settings for bool {
    const SHAPE: Shape = Shape::of(Kind::Bool);

    fn read(json: &Json<'_>) -> Option<Self> {
        json.as_bool()
    }
}

/// Whole numbers up to the largest `i64`; the schema of a `u64` says so, too.
macro_rules! integers {
    ($($integer:ty: $min:expr, $max:expr;)+) => {$(
        impl Settings for $integer {
            const SHAPE: Shape = Shape::of(Kind::Integer { min: $min as i64, max: $max as i64 });

            fn read(json: &Json<'_>) -> Option<Self> {
                json.as_integer()?.try_into().ok()
            }
        }
    )+};
}

integers! {
    u8: u8::MIN, u8::MAX;
    u16: u16::MIN, u16::MAX;
    u32: u32::MIN, u32::MAX;
    u64: u64::MIN, i64::MAX;
    i8: i8::MIN, i8::MAX;
    i16: i16::MIN, i16::MAX;
    i32: i32::MIN, i32::MAX;
    i64: i64::MIN, i64::MAX;
}

impl Settings for String {
    const SHAPE: Shape = Shape::text();

    fn read(json: &Json<'_>) -> Option<Self> {
        json.as_text().map(str::to_owned)
    }
}

impl<T: Settings> Settings for Option<T> {
    const SHAPE: Shape = T::SHAPE.or_null();

    fn read(json: &Json<'_>) -> Option<Self> {
        if *json == Json::Null { Some(None) } else { T::read(json).map(Some) }
    }
}

impl<T: Settings> Settings for Vec<T> {
    const SHAPE: Shape = Shape::list(&T::SHAPE);

    fn read(json: &Json<'_>) -> Option<Self> {
        json.as_list()?.iter().map(T::read).collect()
    }
}

impl<K: Settings + Ord, V: Settings> Settings for BTreeMap<K, V> {
    const SHAPE: Shape = Shape::map(&K::SHAPE, &V::SHAPE);

    fn read(json: &Json<'_>) -> Option<Self> {
        // Inserted one by one: `collect` sorts first, and the code of that sort is larger than the rest of the map.
        let mut map = Self::new();
        for (key, value) in json.as_object()? {
            map.insert(K::read(&Json::Text(key.clone()))?, V::read(value)?);
        }
        Some(map)
    }
}
