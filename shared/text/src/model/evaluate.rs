//! Figures of a model on texts that it was not trained on.

use super::figures::{Figures, Judged};
use super::{Model, Row, TrainedHead};

/// Figures of a head on labelled texts. Labels that the head does not know count as mistakes.
#[must_use]
pub fn evaluate(model: &Model, head: &TrainedHead, rows: &[Row]) -> Figures {
    let mut labels = head.labels().to_vec();
    for label in rows.iter().flat_map(|r| &r.labels).filter(|l| !super::NONE_LABELS.contains(&l.as_str())) {
        if !labels.contains(label) {
            labels.push(label.clone());
        }
    }
    let judged: Vec<Judged> = rows
        .iter()
        .map(|row| {
            let prepared = model.prepare(&row.title, &row.body);
            let scores = head.head.scores(&prepared.features, row.source.as_deref());
            let mut truth: Vec<usize> = row.labels.iter().filter_map(|l| labels.iter().position(|known| known == l)).collect();
            truth.sort_unstable();
            head.decision.judge(&scores, &truth, row.source.clone())
        })
        .collect();
    Figures::of(&labels, &judged)
}
