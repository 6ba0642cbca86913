"""How the pages look: one style sheet, sent with each page."""

STYLE = """
:root { --ink:#1c2733; --soft:#667585; --line:#dfe5ea; --paper:#fff; --ground:#f4f6f8; --accent:ACCENT;
  --bad:#b3261e }
* { box-sizing:border-box }
body { margin:0; font:16px/1.5 system-ui,"Noto Sans CJK SC","PingFang SC",sans-serif; color:var(--ink);
  background:var(--ground) }
a { color:var(--accent) }
header { background:var(--accent); color:#fff; padding:.8rem 1rem }
header a { color:#fff; text-decoration:none; font-weight:600 }
header small { opacity:.85 }
nav { display:flex; flex-wrap:wrap; gap:.2rem .9rem; padding:.6rem 1rem; background:var(--paper);
  border-bottom:1px solid var(--line) }
nav a[aria-current] { font-weight:700; color:var(--ink) }
main { max-width:84rem; margin:0 auto; padding:1rem }
h1 { font-size:1.35rem; margin:.2rem 0 .8rem }
h2 { font-size:1.05rem; margin:1rem 0 .5rem }
.zh { color:var(--soft); font-weight:400 }
.wide { overflow-x:auto; background:var(--paper); border:1px solid var(--line); border-radius:8px }
table { border-collapse:collapse; width:100% }
th,td { text-align:left; padding:.45rem .7rem; border-bottom:1px solid var(--line); vertical-align:top }
th { white-space:nowrap; font-size:.85rem }
td { overflow-wrap:break-word; min-width:5rem; max-width:24rem }
td:first-child { white-space:nowrap }
form.find { display:flex; gap:.5rem; flex-wrap:wrap; margin-bottom:.8rem }
input,select { font:inherit; padding:.4rem .5rem; border:1px solid #b9c4ce; border-radius:6px; width:100%;
  background:#fff; color:inherit }
input[type=checkbox] { width:auto }
form.find input { flex:1 1 10rem; width:auto }
button,.button { font:inherit; padding:.42rem 1rem; border:0; border-radius:6px; background:var(--accent);
  color:#fff; cursor:pointer; text-decoration:none; display:inline-block }
button.bad { background:var(--bad) }
form fieldset:first-of-type { margin-top:1rem }
fieldset { border:1px solid var(--line); border-radius:8px; background:var(--paper); margin:0 0 1rem;
  padding:.8rem; display:grid; grid-template-columns:repeat(auto-fit,minmax(min(15rem,100%),1fr)); gap:.7rem }
fieldset fieldset { grid-column:1/-1; margin:0 }
legend { font-weight:600; padding:0 .3rem }
label.long { grid-column:1/-1 }
label span { display:block; font-size:.85rem }
.note { padding:.7rem 1rem; border-radius:8px; margin:0 0 1rem; background:#fdecea; color:var(--bad) }
.meta { color:var(--soft); font-size:.9rem }
details { margin:1rem 0; background:var(--paper); border:1px solid var(--line); border-radius:8px;
  padding:.6rem .9rem }
:focus-visible { outline:3px solid #f0a500; outline-offset:2px }
"""
