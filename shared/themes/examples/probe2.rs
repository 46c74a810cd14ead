//! scratch
use std::collections::HashMap;
use groundswell_themes::*;
fn vmeasure(y: &[usize], c: &[usize]) -> f64 {
    let n = y.len() as f64;
    let mut joint: HashMap<(usize, usize), f64> = HashMap::new();
    let mut py: HashMap<usize, f64> = HashMap::new();
    let mut pc: HashMap<usize, f64> = HashMap::new();
    for (a, b) in y.iter().zip(c) {
        *joint.entry((*a, *b)).or_default() += 1.0; *py.entry(*a).or_default() += 1.0; *pc.entry(*b).or_default() += 1.0;
    }
    let h = |m: &HashMap<usize, f64>| -m.values().map(|v| v / n * (v / n).ln()).sum::<f64>();
    let (hy, hc) = (h(&py), h(&pc));
    let hyc = -joint.iter().map(|((_, b), v)| v / n * (v / pc[b]).ln()).sum::<f64>();
    let hcy = -joint.iter().map(|((a, _), v)| v / n * (v / py[a]).ln()).sum::<f64>();
    let (hom, com) = (1.0 - hyc / hy, 1.0 - hcy / hc);
    2.0 * hom * com / (hom + com)
}
fn main() {
    let text = std::fs::read_to_string("/tmp/th/so.tsv").unwrap();
    let mut rows: Vec<Vec<String>> = text.lines().map(|l| l.split('\t').map(str::to_owned).collect()).collect();
    fastrand::seed(0);
    fastrand::shuffle(&mut rows);
    rows.truncate(5000);
    let mut labels: HashMap<String, usize> = HashMap::new();
    let y: Vec<usize> = rows.iter().map(|r| { let n = labels.len(); *labels.entry(r[1].clone()).or_insert(n) }).collect();
    let f: Vec<Features> = rows.iter().map(|r| Features::of(&r[2], "")).collect();
    let a: Vec<String> = std::env::args().collect();
    for dims in a[1].split(',') { for balanced in [false, true] {
        for refinements in [0, 10] { for alpha in if refinements == 0 { vec![0.1] } else { vec![0.01f32, 0.05, 0.2] } {
            let r = batch::Recipe { dimensions: dims.parse().unwrap(), balanced, refinements, alpha, ..Default::default() };
            let v: Vec<f64> = (0..2).map(|s| vmeasure(&y, &batch::group(&f, labels.len(), &r, s))).collect();
            println!("dims {dims} balanced {balanced} ref {refinements} alpha {alpha}: {v:.3?}");
        } }
    } }
}
