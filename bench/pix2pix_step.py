"""Runs the workloads of Tinctor.Bench in plain PyTorch: one pix2pix training step and one generator pass.

Reads one word per line ("train", "forward", "forward_bf16", "quit") and prints the seconds that the workload took.
"""
import sys
import time

import torch
from torch import nn


class Residual(nn.Module):
    def __init__(self, channels, norm):
        super().__init__()
        bias = norm is nn.InstanceNorm2d
        self.conv = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), norm(channels), nn.ReLU(True),
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), norm(channels))

    def forward(self, x):
        return x + self.conv(x)


def generator(ngf=64, blocks=9, norm=nn.BatchNorm2d):
    bias = norm is nn.InstanceNorm2d

    def down(i, o):
        return [nn.Conv2d(i, o, 3, 2, 1, bias=bias), norm(o), nn.ReLU(True)]

    def up(i, o):
        return [nn.ConvTranspose2d(i, o, 3, 2, 1, 1, bias=bias), norm(o), nn.ReLU(True)]

    return nn.Sequential(
        nn.ReflectionPad2d(3), nn.Conv2d(3, ngf, 7, bias=bias), norm(ngf), nn.ReLU(True),
        *down(ngf, ngf * 2), *down(ngf * 2, ngf * 4), *[Residual(ngf * 4, norm) for _ in range(blocks)],
        *up(ngf * 4, ngf * 2), *up(ngf * 2, ngf), nn.ReflectionPad2d(3), nn.Conv2d(ngf, 3, 7), nn.Tanh())


def discriminator(ndf=64):
    layers, channels = [nn.Conv2d(6, ndf, 4, 2, 1), nn.LeakyReLU(0.2, True)], ndf
    for stride, wider in ((2, ndf * 2), (2, ndf * 4), (1, ndf * 8)):
        layers += [nn.Conv2d(channels, wider, 4, stride, 1, bias=False), nn.BatchNorm2d(wider), nn.LeakyReLU(0.2, True)]
        channels = wider
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, 4, 1, 1))


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(0)
    g, d = generator(), discriminator()
    opt_g = torch.optim.Adam(g.parameters(), 2e-4, (0.5, 0.999))
    opt_d = torch.optim.Adam(d.parameters(), 2e-4, (0.5, 0.999))
    source, target = torch.rand(1, 3, 256, 256) * 2 - 1, torch.rand(1, 3, 256, 256) * 2 - 1
    large = torch.rand(1, 3, 512, 512) * 2 - 1
    gan, l1 = nn.MSELoss(), nn.L1Loss()

    def gan_loss(prediction, real):
        return gan(prediction, torch.tensor(1.0 if real else 0.0).expand_as(prediction))

    def train():
        g.train()
        fake = g(source)
        d.requires_grad_(True)
        opt_d.zero_grad()
        loss_d = (gan_loss(d(torch.cat([source, fake], 1).detach()), False) + gan_loss(d(torch.cat([source, target], 1)), True)) * 0.5
        loss_d.backward()
        opt_d.step()
        d.requires_grad_(False)
        opt_g.zero_grad()
        (gan_loss(d(torch.cat([source, fake], 1)), True) + l1(fake, target) * 100).backward()
        opt_g.step()

    def forward():
        g.eval()
        with torch.no_grad():
            g(large)

    def forward_bf16():
        g.eval()
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            g(large)

    work = {"train": train, "forward": forward, "forward_bf16": forward_bf16}
    for line in sys.stdin:
        word = line.strip()
        if word == "quit":
            break
        start = time.perf_counter()
        work[word]()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
