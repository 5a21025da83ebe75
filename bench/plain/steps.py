"""Training steps of the methods in plain PyTorch, with the losses and optimisers of Tinctor's defaults."""
import torch
from torch import nn
from torch.nn import functional as F

from networks import Ceff, CeffEncoder, DeReStainer, UnetGenerator, create


class PatchGan(nn.Module):
    def __init__(self, inputs, norm=nn.BatchNorm2d, ndf=64, layers=3):
        super().__init__()
        bias = norm is nn.InstanceNorm2d
        model, channels = [nn.Conv2d(inputs, ndf, 4, 2, 1), nn.LeakyReLU(0.2, True)], ndf
        for i in range(1, layers + 1):
            wider = ndf * min(2 ** i, 8)
            model += [nn.Conv2d(channels, wider, 4, 2 if i < layers else 1, 1, bias=bias), norm(wider), nn.LeakyReLU(0.2, True)]
            channels = wider
        self.model = nn.Sequential(*model, nn.Conv2d(channels, 1, 4, 1, 1))

    def forward(self, x):
        return self.model(x)


class TwoScales(nn.Module):
    def __init__(self):
        super().__init__()
        self.fine, self.coarse = PatchGan(3, nn.InstanceNorm2d), PatchGan(3, nn.InstanceNorm2d)

    def forward(self, x):
        return [self.fine(x), self.coarse(F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))]


def gan_loss(predictions, real, mode):
    scales = predictions if isinstance(predictions, list) else [predictions]
    losses = []
    for scale in scales:
        target = torch.ones_like(scale) if real else torch.zeros_like(scale)
        losses.append(F.mse_loss(scale, target) if mode == "lsgan" else F.binary_cross_entropy_with_logits(scale, target))
    return sum(losses) / len(losses)


def ssim_loss(a, b, size=11, sigma=1.5):
    x = torch.arange(size) - size // 2
    line = torch.exp(-x ** 2 / (2 * sigma ** 2))
    window = torch.outer(line, line) / line.sum() ** 2
    a, b = a + 1, b + 1
    means = F.conv2d(torch.cat([a, b, a * a + b * b, a * b], 1), window.expand(12, 1, size, size), groups=12)
    x, y, squares, product = means.chunk(4, 1)
    c1, c2 = (0.01 * 2) ** 2, (0.03 * 2) ** 2
    similarity = (2 * x * y + c1) * (2 * (product - x * y) + c2) / ((x * x + y * y + c1) * (squares - x * x - y * y + c2))
    return 1 - similarity.mean()


class Adversarial:
    """A generator and a discriminator that take a step each."""

    mode, conditional = "lsgan", False

    def __init__(self, generator, discriminator, optimizer, rate):
        self.generator, self.discriminator = generator, discriminator
        self.optimizer_g = optimizer([p for p in generator.parameters() if p.requires_grad], rate, betas=(0.5, 0.999))
        self.optimizer_d = optimizer(discriminator.parameters(), rate, betas=(0.5, 0.999))

    def judged(self, source, image):
        return self.discriminator(torch.cat([source, image], 1) if self.conditional else image)

    def step(self, source, target):
        stained, losses = self.stain(source)
        self.discriminator.requires_grad_(True)
        self.optimizer_d.zero_grad()
        fake = gan_loss(self.judged(source, stained.detach()), False, self.mode)
        real = gan_loss(self.judged(source, target), True, self.mode)
        ((fake + real) * 0.5).backward()
        self.optimizer_d.step()
        self.discriminator.requires_grad_(False)
        self.optimizer_g.zero_grad()
        (gan_loss(self.judged(source, stained), True, self.mode) + losses(target)).backward()
        self.optimizer_g.step()


class Pix2Pix(Adversarial):
    mode, conditional = "vanilla", True

    def __init__(self, generator=None):
        super().__init__(generator or UnetGenerator(), PatchGan(6), torch.optim.Adam, 2e-4)

    def stain(self, source):
        stained = self.generator(source)
        return stained, lambda target: 100 * F.l1_loss(stained, target)


class DeReStainerStep(Adversarial):
    """Without the loss of the comparator, which is a network of its own."""

    LEVELS = torch.tensor([0, 1, 2, 3])

    def __init__(self):
        super().__init__(DeReStainer(), TwoScales(), torch.optim.AdamW, 2e-4)

    def stain(self, source):
        network = self.generator
        stained, logits, feature = network.run(source)

        def losses(target):
            with torch.no_grad():
                aligned = network.f_H(network.destainer(network.only(target, 0))).flatten(1)
            h = 1 - F.cosine_similarity(network.f_H(feature).flatten(1), aligned).mean()
            probability = F.softmax(logits, 1).gather(1, self.LEVELS[torch.arange(len(logits)) % 4, None])
            level = (-(1 - probability) ** 2 * probability.log()).mean()
            dab = F.l1_loss(network.only(stained, 2), network.only(target, 2))
            return h + 5 * level + dab + 10 * F.l1_loss(stained, target) + ssim_loss(stained, target)

        return stained, losses


class CeffStep(Adversarial):
    mode, conditional = "vanilla", True

    def __init__(self):
        network = Ceff()
        network.encoder_fusion.requires_grad_(False)
        super().__init__(network, PatchGan(6), torch.optim.Adam, 2e-4)
        self.encoder = CeffEncoder().eval().requires_grad_(False)

    def stain(self, source):
        self.generator.encoder_fusion.eval()
        stained = self.generator(source)

        def losses(target):
            total = 0
            for a, b in zip(tiles(stained), tiles(target)):
                with torch.no_grad():
                    weight = 50 + 50 * F.cosine_similarity(self.encoder(a.detach()), self.encoder(b))
                total = total + (weight * (a - b).abs().mean((1, 2, 3))).mean() / 4
            return total

        return stained, losses


def tiles(image):
    return [tile for row in image.chunk(2, 2) for tile in row.chunk(2, 3)]


class Bridge:
    """A Brownian bridge (bbdm, gradient objective) or I2SB step: a state between source and target, and the network's error."""

    def __init__(self, name):
        self.network = create(name)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), 1e-4)

    def step(self, source, target):
        share = torch.rand(len(source), 1, 1, 1)
        spread = (2 * (share - share ** 2)).sqrt()
        noise = torch.randn_like(target)
        state = (1 - share) * target + share * source + spread * noise
        self.optimizer.zero_grad()
        prediction = self.network(state, share.flatten() * 1000, source)
        F.mse_loss(prediction, share * (source - target) + spread * noise).backward()
        self.optimizer.step()


STEPS = {
    "pix2pix": Pix2Pix,
    "pix2pix-resnet9": lambda: Pix2Pix(create("resnet9-batch")),
    "derestainer": DeReStainerStep,
    "ceff": CeffStep,
    "bbdm": lambda: Bridge("bbdm"),
    "i2sb": lambda: Bridge("i2sb"),
}
