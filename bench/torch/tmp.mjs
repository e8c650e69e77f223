import * as torch from '@chronotope/torch';
torch.setNumThreads(1);
const x=torch.ones([64,64]); const y=torch.ones([8]);
const v=()=>x.view([8, 512]).transpose(0, 1).narrow(0, 1, 7).unsqueeze(0);
const a=()=>y.add(y);
const run=(f,n)=>{ const c=process.cpuUsage(); for(let i=0;i<n;i++) torch.scope(()=>{for(let j=0;j<100;j++) f();}); const d=process.cpuUsage(c); return (d.user+d.system)/n/100; };
for (const [n,f] of [['views',v],['add',a]]) { run(f,100); let b=1e9; for(let r=0;r<8;r++) b=Math.min(b,run(f,200)); console.log(n,b.toFixed(2),'us'); }
