//! Small dense symmetric systems: the day effects of a window, some sixty unknowns.

use crate::panel::Stored;

/// A symmetric matrix, row by row.
#[derive(Clone, Debug)]
pub(crate) struct Symmetric {
    size: usize,
    values: Vec<f64>,
}

impl Symmetric {
    pub(crate) fn zeros(size: usize) -> Self {
        Self { size, values: vec![0.0; size * size] }
    }

    /// Adds to the lower triangle: `row` must not be less than `column`.
    pub(crate) fn add(&mut self, row: usize, column: usize, value: f64) {
        debug_assert!(row >= column, "the lower triangle is kept");
        self.values[row * self.size + column] += value;
    }

    /// Every value times those of its row and its column; rows without one keep what they have.
    pub(crate) fn scaled(mut self, by: &[f64]) -> Self {
        for (row, factor) in by.iter().enumerate() {
            let values = &mut self.values[row * self.size..=row * self.size + row];
            values.iter_mut().zip(by).for_each(|(value, other)| *value *= factor * other);
        }
        self
    }

    pub(crate) fn get(&self, row: usize, column: usize) -> f64 {
        self.values[row.max(column) * self.size + row.min(column)]
    }

    /// Its Cholesky factor L with LLᵀ; none where it is not positive definite.
    pub(crate) fn cholesky(mut self) -> Option<Cholesky> {
        let n = self.size;
        for row in 0..n {
            for column in 0..=row {
                let dot: f64 = (0..column).map(|k| self.values[row * n + k] * self.values[column * n + k]).sum();
                let rest = self.values[row * n + column] - dot;
                self.values[row * n + column] = if row == column {
                    if rest.is_nan() || rest <= 0.0 {
                        return None;
                    }
                    rest.sqrt()
                } else {
                    rest / self.values[column * n + column]
                };
            }
        }
        Some(Cholesky(self))
    }
}

/// Vectors whose products with themselves are taken at once: each value of the sum is then fetched once for all of them.
const TOGETHER: usize = 4;

/// Minus the sum of products of vectors with themselves, in a matrix with one more row, which stays empty.
pub(crate) struct Outer {
    sum: Symmetric,
    vectors: [Vec<f64>; TOGETHER],
    factors: [f64; TOGETHER],
    used: usize,
    first: usize,
    end: usize,
}

impl Outer {
    pub(crate) fn new(size: usize) -> Self {
        let vectors = std::array::from_fn(|_| vec![0.0; size]);
        Self { sum: Symmetric::zeros(size + 1), vectors, factors: [0.0; TOGETHER], used: 0, first: size, end: 0 }
    }

    /// Begins the next vector, whose product counts so many times.
    pub(crate) fn next(&mut self, factor: f64) {
        if self.used == TOGETHER {
            self.add();
        }
        self.factors[self.used] = factor;
        self.used += 1;
    }

    /// Adds `factor` times `values` to the vector from a place on.
    pub(crate) fn put(&mut self, place: usize, factor: f64, values: &[Stored]) {
        let end = place + values.len();
        add_scaled(&mut self.vectors[self.used - 1][place..end], factor, values);
        self.first = self.first.min(place);
        self.end = self.end.max(end);
    }

    pub(crate) fn sum(mut self) -> Symmetric {
        self.add();
        self.sum
    }

    fn add(&mut self) {
        let [a, b, c, d] = &self.vectors;
        for row in self.first..self.end {
            let [e, f, g, h] = [(a, 0), (b, 1), (c, 2), (d, 3)].map(|(vector, place)| self.factors[place] * vector[row]);
            let places = self.first..=row;
            let values = &mut self.sum.values[row * self.sum.size..][places.clone()];
            let (a, b, c, d) = (&a[places.clone()], &b[places.clone()], &c[places.clone()], &d[places]);
            for ((((value, a), b), c), d) in values.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *value -= (e * a + f * b) + (g * c + h * d);
            }
        }
        let (first, end) = (self.first.min(self.end), self.end);
        self.vectors.iter_mut().for_each(|v| v[first..end].fill(0.0));
        (self.factors, self.used) = ([0.0; TOGETHER], 0);
        (self.first, self.end) = (self.sum.size - 1, 0);
    }
}

/// Adds `factor` times `values` to the first so many of a row.
#[inline]
pub(crate) fn add_scaled(row: &mut [f64], factor: f64, values: &[Stored]) {
    for (cell, value) in row[..values.len()].iter_mut().zip(values) {
        *cell += factor * f64::from(*value);
    }
}

/// The sum of products, in an order that is always the same and that a processor can work off two or four at a time.
#[inline]
pub(crate) fn dot(values: &[Stored], others: &[f64]) -> f64 {
    let others = &others[..values.len()];
    let mut sums = [0.0; 4];
    let (fours, other_fours) = (values.chunks_exact(4), others.chunks_exact(4));
    let rest: f64 = fours.remainder().iter().zip(other_fours.remainder()).map(|(a, b)| f64::from(*a) * b).sum();
    for (a, b) in fours.zip(other_fours) {
        for place in 0..4 {
            sums[place] += f64::from(a[place]) * b[place];
        }
    }
    total(sums, rest)
}

/// The same of three others at once: values are fetched once for all of them.
#[inline]
pub(crate) fn dot3(values: &[Stored], [a, b, c]: [&[f64]; 3]) -> [f64; 3] {
    let (a, b, c) = (&a[..values.len()], &b[..values.len()], &c[..values.len()]);
    let (mut of_a, mut of_b, mut of_c, mut rest) = ([0.0; 4], [0.0; 4], [0.0; 4], [0.0; 3]);
    let (fours, a, b, c) = (values.chunks_exact(4), a.chunks_exact(4), b.chunks_exact(4), c.chunks_exact(4));
    for (((value, a), b), c) in fours.remainder().iter().zip(a.remainder()).zip(b.remainder()).zip(c.remainder()) {
        let value = f64::from(*value);
        rest = [rest[0] + value * a, rest[1] + value * b, rest[2] + value * c];
    }
    for (((value, a), b), c) in fours.zip(a).zip(b).zip(c) {
        for place in 0..4 {
            let value = f64::from(value[place]);
            of_a[place] += value * a[place];
            of_b[place] += value * b[place];
            of_c[place] += value * c[place];
        }
    }
    [total(of_a, rest[0]), total(of_b, rest[1]), total(of_c, rest[2])]
}

#[inline]
fn total(sums: [f64; 4], rest: f64) -> f64 {
    (sums[0] + sums[1]) + (sums[2] + sums[3]) + rest
}

/// A factor by which systems are solved.
pub(crate) struct Cholesky(Symmetric);

impl Cholesky {
    /// x with LLᵀx = `right`.
    pub(crate) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let (n, l) = (self.0.size, &self.0.values);
        let mut x = right.to_vec();
        for row in 0..n {
            let dot: f64 = (0..row).map(|k| l[row * n + k] * x[k]).sum();
            x[row] = (x[row] - dot) / l[row * n + row];
        }
        for row in (0..n).rev() {
            let dot: f64 = (row + 1..n).map(|k| l[k * n + row] * x[k]).sum();
            x[row] = (x[row] - dot) / l[row * n + row];
        }
        x
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_solved_gives_the_right_side_again() {
        let rows = [[4.0, 1.0, 0.5], [1.0, 3.0, -1.0], [0.5, -1.0, 2.0]];
        let mut matrix = Symmetric::zeros(3);
        for (r, row) in rows.iter().enumerate() {
            (0..=r).for_each(|c| matrix.add(r, c, row[c]));
        }
        let x = matrix.cholesky().unwrap().solve(&[1.0, 2.0, 3.0]);
        for (row, right) in rows.iter().zip([1.0, 2.0, 3.0]) {
            let left: f64 = row.iter().zip(&x).map(|(a, b)| a * b).sum();
            assert!((left - right).abs() < 1e-12);
        }
    }

    #[test]
    fn products_are_summed_whatever_their_number() {
        let vectors =
            [[1.0, 2.0, 0.0, 0.0, 3.0], [0.5, 0.0, 1.0, 4.0, 0.0], [0.0, 0.0, 7.0, 1.0, 0.0], [1.0; 5], [2.0, 1.0, 0.0, 3.0, 1.0]];
        let (mut outer, mut wanted) = (Outer::new(5), [[0.0; 5]; 5]);
        for (n, vector) in (1u8..).zip(&vectors) {
            outer.next(f64::from(n));
            let kept = vector.map(crate::panel::stored);
            outer.put(0, 2.0, &kept[..2]);
            outer.put(2, 2.0, &kept[2..]);
            for (row, &left) in wanted.iter_mut().zip(vector) {
                row.iter_mut().zip(vector).for_each(|(cell, &right)| *cell -= 4.0 * f64::from(n) * left * right);
            }
        }
        let sum = outer.sum();
        for (row, cells) in wanted.iter().enumerate() {
            let near = |(column, cell): (usize, &f64)| assert!((sum.get(row, column) - cell).abs() < 1e-12, "{row} {column}");
            cells.iter().enumerate().for_each(near);
        }
    }

    #[test]
    fn a_sum_of_products_takes_the_rest_along() {
        let a: Vec<f64> = (0..11u8).map(f64::from).collect();
        let kept: Vec<Stored> = (0..11u8).map(Stored::from).collect();
        assert!((dot(&kept, &a) - 385.0).abs() < 1e-12);
        assert!((dot(&kept[..3], &a) - 5.0).abs() < 1e-12);
        let (b, c) = (vec![1.0; 11], a.iter().map(|v| 2.0 * v).collect::<Vec<f64>>());
        assert_eq!(dot3(&kept, [&a, &b, &c]), [dot(&kept, &a), dot(&kept, &b), dot(&kept, &c)], "three at once are the same");
    }

    #[test]
    fn what_is_not_positive_definite_is_refused() {
        let mut matrix = Symmetric::zeros(1);
        matrix.add(0, 0, -1.0);
        assert!(matrix.cholesky().is_none());
    }
}
