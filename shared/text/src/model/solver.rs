//! Linear weights with squared hinge loss and L2 regularisation, by coordinate descent on the dual with shrinking
//! (Hsieh et al., 2008): one example at a time, in an order that only the seed decides. For many labels it is several times
//! quicker than logistic loss and as good; confidences are calibrated afterwards.

use super::hash::Numbers;

/// Sparse examples, row by row.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    /// Where each row begins, and the end of the last one.
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f32>,
}

impl Rows {
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Begins a new row.
    pub(super) fn begin(&mut self) {
        self.starts.push(self.columns.len());
    }

    pub(super) fn push(&mut self, column: u32, value: f32) {
        self.columns.push(column);
        self.values.push(value);
    }

    pub(super) fn row(&self, i: usize) -> impl Iterator<Item = (u32, f32)> + '_ {
        let range = self.range(i);
        self.columns[range.clone()].iter().copied().zip(self.values[range].iter().copied())
    }

    fn range(&self, i: usize) -> std::ops::Range<usize> {
        self.starts[i]..self.starts.get(i + 1).copied().unwrap_or(self.columns.len())
    }
}

/// What is to be told apart.
pub(super) struct Problem<'a> {
    pub(super) rows: &'a Rows,
    /// Number of columns.
    pub(super) width: usize,
    /// Factor of every column: the log-count ratio, say.
    pub(super) scale: &'a [f32],
    /// Which rows belong to the class.
    pub(super) is: &'a [bool],
    /// How much a mistake costs against large weights.
    pub(super) cost: f32,
    /// How much more a mistake on rows of the class costs.
    pub(super) favour: f32,
}

/// Rounds over all examples at most.
const MOST_ROUNDS: usize = 100;
/// The search ends when no slope of the dual is further from another than this.
const ENOUGH: f32 = 0.05;

/// The weights of all columns (their factors included), and the bias behind them.
pub(super) fn fit(problem: &Problem<'_>) -> Vec<f32> {
    let mut search = Search::new(problem);
    let mut numbers = Numbers(1);
    for _ in 0..MOST_ROUNDS {
        if search.round(&mut numbers) {
            break;
        }
    }
    let mut weights = search.weights;
    let bias = weights.pop().unwrap_or(0.0);
    weights.iter_mut().zip(problem.scale).for_each(|(w, s)| *w *= s);
    weights.push(bias);
    weights
}

/// Where the search stands.
struct Search<'a> {
    problem: &'a Problem<'a>,
    /// Values times the factors of their columns.
    values: Vec<f32>,
    /// Squared length of each row, bias included.
    squares: Vec<f32>,
    weights: Vec<f32>,
    /// The dual variable of each row.
    alphas: Vec<f32>,
    order: Vec<usize>,
    /// How many rows at the beginning of `order` are still looked at; the others are far on their right side.
    active: usize,
    /// From this slope on a row is set aside.
    bar: f32,
}

impl<'a> Search<'a> {
    fn new(problem: &'a Problem<'a>) -> Self {
        let rows = problem.rows;
        let values: Vec<f32> = rows.columns.iter().zip(&rows.values).map(|(c, v)| v * problem.scale[*c as usize]).collect();
        let squares = (0..rows.len()).map(|i| 1.0 + values[rows.range(i)].iter().map(|v| v * v).sum::<f32>()).collect();
        Self {
            problem,
            values,
            squares,
            weights: vec![0.0; problem.width + 1],
            alphas: vec![0.0; rows.len()],
            order: (0..rows.len()).collect(),
            active: rows.len(),
            bar: f32::INFINITY,
        }
    }

    /// Looks at every active row once; gives whether the search is over.
    fn round(&mut self, numbers: &mut Numbers) -> bool {
        numbers.shuffle(&mut self.order[..self.active]);
        let (mut most, mut least) = (f32::NEG_INFINITY, f32::INFINITY);
        let mut at = 0;
        while at < self.active {
            let i = self.order[at];
            let slope = self.slope(i);
            if self.alphas[i] == 0.0 && slope > self.bar {
                self.active -= 1;
                self.order.swap(at, self.active);
                continue;
            }
            let pull = if self.alphas[i] > 0.0 { slope } else { slope.min(0.0) };
            (most, least) = (most.max(pull), least.min(pull));
            if pull != 0.0 {
                self.step(i, slope);
            }
            at += 1;
        }
        if most - least < ENOUGH {
            // What was set aside is looked at once more before the end.
            let over = self.active == self.order.len();
            (self.active, self.bar) = (self.order.len(), f32::INFINITY);
            return over;
        }
        self.bar = if most > 0.0 { most } else { f32::INFINITY };
        false
    }

    /// The slope of the dual at row `i`.
    fn slope(&self, i: usize) -> f32 {
        let (rows, range) = (self.problem.rows, self.problem.rows.range(i));
        let score: f32 = rows.columns[range.clone()].iter().zip(&self.values[range]).map(|(c, v)| self.weights[*c as usize] * v).sum();
        let score = score + self.weights[self.problem.width];
        sign(self.problem.is[i]) * score - 1.0 + self.alphas[i] * soft(self.problem, i)
    }

    fn step(&mut self, i: usize, slope: f32) {
        let range = self.problem.rows.range(i);
        let alpha = (self.alphas[i] - slope / (self.squares[i] + soft(self.problem, i))).max(0.0);
        let by = sign(self.problem.is[i]) * (alpha - self.alphas[i]);
        self.alphas[i] = alpha;
        for (c, v) in self.problem.rows.columns[range.clone()].iter().zip(&self.values[range]) {
            self.weights[*c as usize] += by * v;
        }
        if let Some(bias) = self.weights.last_mut() {
            *bias += by;
        }
    }
}

/// How much a row may stay on the wrong side, by the cost of that.
fn soft(problem: &Problem<'_>, i: usize) -> f32 {
    0.5 / if problem.is[i] { problem.cost * problem.favour } else { problem.cost }
}

fn sign(is: bool) -> f32 {
    if is { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(table: &[&[(u32, f32)]]) -> Rows {
        let mut rows = Rows::default();
        for row in table {
            rows.begin();
            row.iter().for_each(|(c, v)| rows.push(*c, *v));
        }
        rows
    }

    #[test]
    fn the_gradient_is_zero_at_the_answer() {
        let rows = rows(&[&[(0, 1.0)], &[(1, 1.0)], &[(0, 1.0), (1, 0.5)], &[(1, 2.0)]]);
        let is = [true, false, false, true];
        let weights = fit(&Problem { rows: &rows, width: 2, scale: &[1.0, 1.0], is: &is, cost: 0.5, favour: 1.0 });
        for column in 0..2_u32 {
            let pull: f32 = (0..4)
                .map(|i| {
                    let score: f32 = rows.row(i).map(|(c, v)| weights[c as usize] * v).sum::<f32>() + weights[2];
                    let v: f32 = rows.row(i).filter(|(c, _)| *c == column).map(|(_, v)| v).sum();
                    2.0 * 0.5 * sign(is[i]) * v * (1.0 - sign(is[i]) * score).max(0.0)
                })
                .sum();
            assert!((pull - weights[column as usize]).abs() < 0.2, "{column}: {pull} {weights:?}");
        }
    }

    #[test]
    fn the_same_rows_give_the_same_weights() {
        let rows = rows(&[&[(0, 1.0)], &[(1, 1.0)], &[(0, 0.3), (1, 0.4)]]);
        let problem = Problem { rows: &rows, width: 2, scale: &[1.0, 1.0], is: &[true, false, true], cost: 1.0, favour: 2.0 };
        assert_eq!(fit(&problem), fit(&problem));
    }
}
