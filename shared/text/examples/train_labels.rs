//! Trains the shipped labels on the public sets: `cargo run --release -p groundswell-text --example train_labels -- SETS OUT`.
//! `groundswell model train --shipped` does the same.

use std::path::PathBuf;

use groundswell_text::model::{self, sets};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(folder), Some(out)) = (args.next(), args.next()) else {
        return Err("two arguments: the folder of the sets, and the file to write".into());
    };
    let mut heads = Vec::new();
    for head in sets::HEADS {
        let files = head.files.iter().map(|f| std::fs::read_to_string(folder.join(f))).collect::<Result<Vec<_>, _>>()?;
        let trained = head.train(&files)?;
        let figures = &trained.figures;
        eprintln!(
            "{}: macro-F1 {:.3}, calibration error {:.3}, answered {:.3}, right of those {:.3}",
            head.name, figures.macro_f1, figures.calibration_error, figures.answered, figures.right_of_answered
        );
        if figures.labels.len() < 20 {
            eprintln!("{:#?}", figures.labels.iter().map(|l| (&l.label, l.texts, l.f1)).collect::<Vec<_>>());
        }
        eprintln!("{:?} accuracy {:.4} features {}", figures.sources, figures.accuracy, trained.features());
        heads.push(trained);
    }
    std::fs::write(out, model::write(&sets::model(heads))?)?;
    Ok(())
}
