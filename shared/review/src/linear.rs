//! Small dense symmetric systems: the day effects of a window, some sixty unknowns.

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

    /// Adds `factor` times `values` to a row, from a column on; the row's end must not pass its diagonal.
    pub(crate) fn add_row(&mut self, row: usize, column: usize, factor: f64, values: &[f64]) {
        debug_assert!(column + values.len() <= row + 1, "the lower triangle is kept");
        let start = row * self.size + column;
        for (cell, value) in self.values[start..start + values.len()].iter_mut().zip(values) {
            *cell += factor * value;
        }
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
    fn what_is_not_positive_definite_is_refused() {
        let mut matrix = Symmetric::zeros(1);
        matrix.add(0, 0, -1.0);
        assert!(matrix.cholesky().is_none());
    }
}
