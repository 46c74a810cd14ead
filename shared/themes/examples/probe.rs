//! scratch
use std::collections::{BTreeMap, HashMap};
use groundswell_themes::*;

fn vmeasure(y: &[usize], c: &[usize]) -> (f64, f64, f64) {
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
    (hom, com, 2.0 * hom * com / (hom + com))
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let text = std::fs::read_to_string(&args[1]).unwrap();
    // tab separated: group, label, title, body
    let rows: Vec<Vec<String>> = text.lines().map(|l| l.split('\t').map(|s| s.replace("\\n", "\n")).collect()).collect();
    let joins: Vec<f32> = args[2].split(',').map(|s| s.parse().unwrap()).collect();
    for join in joins {
        let pair = join + args.get(3).map_or(0.03, |s| s.parse().unwrap());
        let mut by: BTreeMap<&str, (Grouping, Vec<usize>, Vec<usize>, HashMap<ThemeId, usize>, HashMap<usize, HashMap<String, usize>>)> = BTreeMap::new();
        let mut labels: HashMap<String, usize> = HashMap::new();
        let t = std::time::Instant::now();
        for (i, r) in rows.iter().enumerate() {
            let e = by.entry(&r[0]).or_insert_with(|| (Grouping::new(Limits { join, pair, ..Limits::default() }), vec![], vec![], HashMap::new(), HashMap::new()));
            let f = Features::of(&r[2], &r[3]);
            let Some(p) = e.0.place(i as u128, &f) else { continue };
            let n = labels.len();
            e.1.push(*labels.entry(r[1].clone()).or_insert(n));
            let n = e.3.len();
            let c = *e.3.entry(p.theme).or_insert(n);
            e.2.push(c);
            *e.4.entry(c).or_default().entry(r[1].clone()).or_default() += 1;
        }
        println!("join {join} pair {pair}: {:.1} us/doc", t.elapsed().as_secs_f64() * 1e6 / rows.len() as f64);
        for (api, (g, y, c, ids, content)) in &by {
            let (h, cm, v) = vmeasure(y, c);
            let (mut inside, mut pure, mut themes) = (0, 0, 0);
            for m in content.values() {
                let n: usize = m.values().sum();
                if n >= 2 { themes += 1; inside += n; pure += m.values().max().unwrap(); }
            }
            println!("  {api}: n {} groups {} themes {} covered {:.3} purity {:.3} hom {h:.3} com {cm:.3} v {v:.3} bytes {}", y.len(), ids.len(), themes, inside as f64 / y.len() as f64, pure as f64 / inside as f64, g.bytes());
            if args.len() > 4 {
                let mut big: Vec<_> = content.iter().map(|(c, m)| (m.values().sum::<usize>(), *c, m)).collect();
                big.sort_by_key(|b| std::cmp::Reverse(b.0));
                let back: HashMap<usize, ThemeId> = ids.iter().map(|(a, b)| (*b, *a)).collect();
                for (n, c, m) in big.iter().take(25) {
                    let mut top: Vec<_> = m.iter().collect(); top.sort_by_key(|t| std::cmp::Reverse(t.1));
                    let th = g.themes().find(|t| t.id == back[c]);
                    let name = th.map(|t| { let mut w: Vec<_> = t.words.iter().collect(); w.sort_by(|a, b| b.sum.total_cmp(&a.sum)); w.iter().take(6).map(|w| w.text.clone()).collect::<Vec<_>>().join("|") }).unwrap_or_default();
                    println!("     {n} {:?} {name}", &top[..top.len().min(4)]);
                }
            }
        }
    }
}
