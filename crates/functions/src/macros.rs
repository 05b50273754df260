//! Macros for families of built-ins that differ only in their types: each gives a `Builtin` with its row and batch form.

/// A strict function of one by-value argument: `b1!("int4abs", |a: i32| -> i32 { .. })`; the body is a `Result`.
macro_rules! b1 {
    ($name:literal, |$a:ident: $A:ty| -> $R:ty $body:block) => {
        ::types::Builtin {
            names: &[$name],
            body: ::types::Body::Row(|_, args| {
                let [d, ..] = args else { return Ok(::types::Datum::Null) };
                if d.is_null() {
                    return Ok(::types::Datum::Null);
                }
                let f = |$a: $A| -> ::base::Result<$R> { $body };
                Ok(::types::Datum::Word(::types::Word::to_word(f(::types::Word::from_word(d.word()))?)))
            }),
            batch: Some(|_, args, rows, out| {
                ::types::kernel::unary::<$A, $R>(args, rows, out, |$a: $A| -> ::base::Result<$R> { $body })
            }),
            write: None,
        }
    };
}

/// A strict function of two by-value arguments.
macro_rules! b2 {
    ($name:literal, |$a:ident: $A:ty, $b:ident: $B:ty| -> $R:ty $body:block) => {
        ::types::Builtin {
            names: &[$name],
            body: ::types::Body::Row(|_, args| {
                let [x, y, ..] = args else { return Ok(::types::Datum::Null) };
                if x.is_null() || y.is_null() {
                    return Ok(::types::Datum::Null);
                }
                let f = |$a: $A, $b: $B| -> ::base::Result<$R> { $body };
                let r = f(::types::Word::from_word(x.word()), ::types::Word::from_word(y.word()))?;
                Ok(::types::Datum::Word(::types::Word::to_word(r)))
            }),
            batch: Some(|_, args, rows, out| {
                ::types::kernel::binary::<$A, $B, $R>(args, rows, out, |$a: $A, $b: $B| -> ::base::Result<$R> { $body })
            }),
            write: None,
        }
    };
}

/// The six comparison operators and the btree function over by-value types, both sides first converted by `$conv`.
macro_rules! compare_words {
    ($A:ty, $B:ty, $conv:expr, [$eq:literal, $ne:literal, $lt:literal, $le:literal, $gt:literal, $ge:literal, $cmp:literal]) => {
        [
            b2!($eq, |a: $A, b: $B| -> bool { Ok($conv(a) == $conv(b)) }),
            b2!($ne, |a: $A, b: $B| -> bool { Ok($conv(a) != $conv(b)) }),
            b2!($lt, |a: $A, b: $B| -> bool { Ok($conv(a) < $conv(b)) }),
            b2!($le, |a: $A, b: $B| -> bool { Ok($conv(a) <= $conv(b)) }),
            b2!($gt, |a: $A, b: $B| -> bool { Ok($conv(a) > $conv(b)) }),
            b2!($ge, |a: $A, b: $B| -> bool { Ok($conv(a) >= $conv(b)) }),
            b2!($cmp, |a: $A, b: $B| -> i32 { Ok($conv(a).cmp(&$conv(b)) as i32) }),
        ]
    };
}

/// One comparison of by-reference values, with its batch form. `$cmp` gives an `Ordering` of two byte slices.
macro_rules! bytes_test {
    ($name:literal, $cmp:expr, $test:expr) => {
        ::types::Builtin {
            names: &[$name],
            body: ::types::Body::Row(|cx, args| {
                $crate::bytes::test_row(cx, args, |a, b| Ok(::types::Datum::bool($test($cmp(a, b)))))
            }),
            batch: Some(|cx, args, rows, out| $crate::bytes::test_batch(cx, args, rows, out, |a, b| $test($cmp(a, b)))),
            write: None,
        }
    };
}

/// The six comparison operators and the btree function of a by-reference type.
macro_rules! compare_bytes {
    ($cmp:expr, [$eq:literal, $ne:literal, $lt:literal, $le:literal, $gt:literal, $ge:literal, $bt:literal]) => {
        [
            bytes_test!($eq, $cmp, ::std::cmp::Ordering::is_eq),
            bytes_test!($ne, $cmp, ::std::cmp::Ordering::is_ne),
            bytes_test!($lt, $cmp, ::std::cmp::Ordering::is_lt),
            bytes_test!($le, $cmp, ::std::cmp::Ordering::is_le),
            bytes_test!($gt, $cmp, ::std::cmp::Ordering::is_gt),
            bytes_test!($ge, $cmp, ::std::cmp::Ordering::is_ge),
            ::types::Builtin {
                names: &[$bt],
                body: ::types::Body::Row(|cx, args| {
                    $crate::bytes::test_row(cx, args, |a, b| Ok(::types::Datum::i32($cmp(a, b) as i32)))
                }),
                batch: None,
                write: None,
            },
        ]
    };
}

/// One comparison of text values under a bytewise collation.
macro_rules! text_test {
    ($name:literal, $cmp:expr, $test:expr) => {
        ::types::Builtin {
            names: &[$name],
            body: ::types::Body::Row(|cx, args| {
                $crate::bytes::text_row(cx, args, |a, b| Ok(::types::Datum::bool($test($cmp(a, b)))))
            }),
            batch: Some(|cx, args, rows, out| $crate::bytes::text_batch(cx, args, rows, out, |a, b| $test($cmp(a, b)))),
            write: None,
        }
    };
}

/// The order operators and btree function of a text type; equality is bytewise under any deterministic collation.
macro_rules! order_text {
    ($cmp:expr, [$lt:literal, $le:literal, $gt:literal, $ge:literal, $bt:literal]) => {
        [
            text_test!($lt, $cmp, ::std::cmp::Ordering::is_lt),
            text_test!($le, $cmp, ::std::cmp::Ordering::is_le),
            text_test!($gt, $cmp, ::std::cmp::Ordering::is_gt),
            text_test!($ge, $cmp, ::std::cmp::Ordering::is_ge),
            ::types::Builtin {
                names: &[$bt],
                body: ::types::Body::Row(|cx, args| {
                    $crate::bytes::text_row(cx, args, |a, b| Ok(::types::Datum::i32($cmp(a, b) as i32)))
                }),
                batch: None,
                write: None,
            },
        ]
    };
}
