//! Comparison with a tolerance, as all geometric operators compare. (PostgreSQL: `geo_decls.h`)

use std::cmp::Ordering;

use types::compare::compare_f64;

use super::Point;

const EPSILON: f64 = 1.0e-06;

pub fn zero(a: f64) -> bool {
    a.abs() <= EPSILON
}
pub fn eq(a: f64, b: f64) -> bool {
    a == b || (a - b).abs() <= EPSILON
}
pub fn ne(a: f64, b: f64) -> bool {
    !eq(a, b)
}
pub fn lt(a: f64, b: f64) -> bool {
    a + EPSILON < b
}
pub fn le(a: f64, b: f64) -> bool {
    a <= b + EPSILON
}
pub fn gt(a: f64, b: f64) -> bool {
    a > b + EPSILON
}
pub fn ge(a: f64, b: f64) -> bool {
    a + EPSILON >= b
}
/// As `float8` sorts: NaN is the greatest.
pub fn order(a: f64, b: f64) -> Ordering {
    compare_f64(a, b)
}
pub fn min(a: f64, b: f64) -> f64 {
    if order(a, b).is_lt() { a } else { b }
}
pub fn max(a: f64, b: f64) -> f64 {
    if order(a, b).is_gt() { a } else { b }
}
pub fn same(a: Point, b: Point) -> bool {
    if a.x.is_nan() || a.y.is_nan() || b.x.is_nan() || b.y.is_nan() {
        return order(a.x, b.x).is_eq() && order(a.y, b.y).is_eq();
    }
    eq(a.x, b.x) && eq(a.y, b.y)
}
