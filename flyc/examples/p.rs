use std::time::Instant;
fn main(){
  let args: Vec<String> = std::env::args().skip(1).collect();
  for f in &args { if f=="-b" {continue}
    let t = std::fs::read_to_string(f).unwrap();
    let p = flyc::syntax::parse(t.clone().into());
    if args[0]!="-b" {
    for n in p.root().descendants(){ println!("{:?} {:?} {:?}", n.kind(), n.range(), n.text().chars().take(30).collect::<String>()); } }
    for e in p.errors(){ println!("ERR {f} {e:?} {:?}", &t[e.range]); }
  }
  if args[0]=="-b" {
    let t: std::sync::Arc<str> = std::fs::read_to_string(&args[1]).unwrap().into();
    let s = Instant::now(); let n=20000;
    for _ in 0..n { std::hint::black_box(flyc::syntax::parse(t.clone())); }
    println!("{} bytes: {:?} per parse", t.len(), s.elapsed()/n);
  }
}
