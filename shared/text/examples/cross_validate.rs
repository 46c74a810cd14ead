//! Cross-validates the taxonomies of the model card as an own taxonomy would be: `… --example cross_validate -- SETS [NAME]`.
//! `groundswell model evaluate --sets SETS` does the same, and the shipped heads.

use std::path::PathBuf;

use groundswell_text::model::{self, Plan, sets};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args_os().nth(1).map(PathBuf::from).ok_or("an argument is missing: the folder of the sets")?;
    let only = std::env::args().nth(2).unwrap_or_default();
    for (name, file, of) in sets::TAXONOMIES.into_iter().filter(|(name, ..)| name.contains(&only)) {
        let rows = sets::taxonomy(&std::fs::read_to_string(folder.join(file))?, of);
        let head = model::fit(name, &rows, Plan::default())?;
        let f = &head.figures;
        println!(
            "{name}: {:?}, accuracy {:.4}, macro-F1 {:.4}, by source {:.4?}, calibration error {:.3}, answered {:.3}, right of those {:.3}, none {} unsure {:.3}",
            head.recipe,
            f.accuracy,
            f.macro_f1,
            f.macro_f1_by_source,
            f.calibration_error,
            f.answered,
            f.right_of_answered,
            f.none,
            f.none_unsure
        );
        let known = [0, 5, 10, 20, 40];
        for n in known {
            if let Some(macro_f1) = model::new_source(&rows, head.recipe, n)? {
                println!("  a new source with {n} texts per label, trained again: {macro_f1:.3}");
            }
        }
        if let Some(figures) = model::taught_source(&rows, head.recipe, &known)? {
            println!("  with so many lessons per label: {figures:.3?}");
        }
    }
    Ok(())
}
