/** What is compared. `task` names a function that both sides have; `repeat`: how often it runs in one measurement. */
export const ROWS = [
  { name: 'add', title: 'add of [8], no gradient', task: 'add', repeat: 20000 },
  { name: 'record', title: 'add of [8], recorded', task: 'record', repeat: 20000 },
  { name: 'matmul', title: 'matmul of [8, 8]', task: 'matmul', repeat: 20000 },
  { name: 'views', title: 'view, transpose, narrow, unsqueeze', task: 'views', repeat: 5000 },
  { name: 'reduce', title: 'sum over a dimension, keepdim', task: 'reduce', repeat: 10000 },
  { name: 'mlp', title: 'step of a small network, batch 8', task: 'mlp', repeat: 100 },
  { name: 'adam', title: 'Adam on R3D-18, Python foreach', task: 'adam', foreach: true, repeat: 1 },
  { name: 'adam-default', title: 'Adam on R3D-18, Python default', task: 'adam', foreach: false, repeat: 1 },
  { name: 'vit', title: 'step of ViT-tiny, 32 of 3x64x64', task: 'vit', repeat: 1 },
  { name: 'resnet18', title: 'step of ResNet-18, 32 of 3x64x64', task: 'resnet18', repeat: 1 },
  { name: 'resnet18-tuned', title: '  with tuned convolutions', task: 'resnet18', tuned: true, repeat: 1 },
  { name: 'r3d18', title: 'step of R3D-18, 8 of 3x8x64x64', task: 'r3d18', repeat: 1 },
  { name: 'r3d18-tuned', title: '  with tuned convolutions', task: 'r3d18', tuned: true, repeat: 1 },
];

export const MEMORY_ROWS = [
  { name: 'memory-r3d18', title: 'R3D-18, 4 steps', task: 'r3d18' },
  { name: 'memory-r3d18-tuned', title: '  with tuned convolutions', task: 'r3d18', tuned: true },
  { name: 'memory-resnet18', title: 'ResNet-18, 4 steps', task: 'resnet18' },
  { name: 'memory-resnet18-tuned', title: '  with tuned convolutions', task: 'resnet18', tuned: true },
  { name: 'memory-vit', title: 'ViT-tiny, 4 steps', task: 'vit' },
];
