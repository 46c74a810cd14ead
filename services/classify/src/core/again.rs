//! What a new look at history says of a piece of feedback, taken into the live state.

use groundswell_model::frame::BadItem;
use groundswell_model::{Again, Op, Outcome, Removal, Skip};

use super::partition::{Partition, Work, hold};
use super::waiting;

impl Partition {
    /// The new insight stands in place of the one before. What waits for evidence goes on waiting, from where it counts now.
    /// Said twice, it is the same.
    pub(super) fn again(&mut self, again: &Again<'_>, work: &mut Work<'_>) -> Result<Outcome<()>, BadItem> {
        let insight = &again.insight;
        let identity = insight.identity;
        if again.was != insight.api {
            work.output.push(&Op::Remove(Removal { api: again.was, identity }))?;
        }
        self.tell(insight.clone(), work)?;
        work.moved += 1;
        if let Some(value) = self.waiting.remove(identity) {
            let waits = waiting::look(&value).map_err(|e| BadItem(e.to_string()))?;
            hold(&mut self.waiting, self.number, &waits.event, (insight.api, insight.rung), work)?;
        }
        Ok(Outcome::Skip(Skip::Again))
    }
}
