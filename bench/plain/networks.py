"""Networks of the methods in plain PyTorch, as a script would have them, with the names of Tinctor's weights.

`create(name)` gives a network at its published width. Weights of Tinctor load into it, and its outputs are compared with Tinctor's.
"""
import math

import torch
from torch import nn
from torch.nn import functional as F


def norm_relu(channels, norm=nn.BatchNorm2d):
    return [norm(channels), nn.ReLU(True)]


class ResnetBlock(nn.Module):
    def __init__(self, channels, norm):
        super().__init__()
        bias = norm is nn.InstanceNorm2d
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), *norm_relu(channels, norm),
            nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3, bias=bias), norm(channels))

    def forward(self, x):
        return x + self.conv_block(x)


def up_to_image(ngf, norm=nn.BatchNorm2d):
    bias = norm is nn.InstanceNorm2d
    layers = []
    for channels in (ngf * 2, ngf):
        layers += [nn.ConvTranspose2d(channels * 2, channels, 3, 2, 1, 1, bias=bias), *norm_relu(channels, norm)]
    return [*layers, nn.ReflectionPad2d(3), nn.Conv2d(ngf, 3, 7), nn.Tanh()]


class ResnetGenerator(nn.Module):
    def __init__(self, norm=nn.BatchNorm2d, ngf=64, blocks=9):
        super().__init__()
        bias = norm is nn.InstanceNorm2d
        layers = [nn.ReflectionPad2d(3), nn.Conv2d(3, ngf, 7, bias=bias), *norm_relu(ngf, norm)]
        for channels in (ngf * 2, ngf * 4):
            layers += [nn.Conv2d(channels // 2, channels, 3, 2, 1, bias=bias), *norm_relu(channels, norm)]
        layers += [ResnetBlock(ngf * 4, norm) for _ in range(blocks)]
        self.model = nn.Sequential(*layers, *up_to_image(ngf, norm))

    def forward(self, x):
        return self.model(x)


class UnetLevel(nn.Module):
    def __init__(self, outer, inner, below=None, first=False):
        super().__init__()
        self.first = first
        down = nn.Conv2d(3 if first else outer, inner, 4, 2, 1, bias=False)
        up = nn.ConvTranspose2d(inner * (2 if below else 1), outer, 4, 2, 1, bias=first)
        if first:
            layers = [down, below, nn.ReLU(True), up, nn.Tanh()]
        elif below is None:
            layers = [nn.LeakyReLU(0.2, True), down, nn.ReLU(True), up, nn.BatchNorm2d(outer)]
        else:
            layers = [nn.LeakyReLU(0.2, True), down, nn.BatchNorm2d(inner), below, nn.ReLU(True), up, nn.BatchNorm2d(outer)]
        self.model = nn.Sequential(*layers)

    def forward(self, x):
        return self.model(x) if self.first else torch.cat([x, self.model(x)], 1)


class UnetGenerator(nn.Module):
    def __init__(self, ngf=64, depth=8):
        super().__init__()
        level = UnetLevel(ngf * 8, ngf * 8)
        for _ in range(depth - 5):
            level = UnetLevel(ngf * 8, ngf * 8, level)
        for outer in (ngf * 4, ngf * 2, ngf):
            level = UnetLevel(outer, outer * 2, level)
        self.model = UnetLevel(3, ngf, level, first=True)

    def forward(self, x):
        return self.model(x)


class ModulatedConv(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect", bias=False)
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x, style):
        scale = (style + 1)[:, :, None, None]
        length = F.linear((style + 1) ** 2, (self.conv.weight ** 2).sum((2, 3)))
        return self.conv(x * scale) * (length + 1e-8).rsqrt()[:, :, None, None] + self.bias[:, None, None]


def simam(x):
    squares = (x - x.mean((2, 3), keepdim=True)) ** 2
    variance = squares.sum((2, 3), keepdim=True) / (x.shape[2] * x.shape[3] - 1)
    return x * torch.sigmoid(squares / (4 * (variance + 1e-4)) + 0.5)


class FusionBlock(nn.Module):
    def __init__(self, channels, levels):
        super().__init__()
        self.conv1, self.style1, self.norm1 = ModulatedConv(channels), nn.Linear(levels, channels), nn.BatchNorm2d(channels)
        self.conv2, self.style2, self.norm2 = ModulatedConv(channels), nn.Linear(levels, channels), nn.BatchNorm2d(channels)

    def forward(self, x, level):
        y = F.leaky_relu(self.norm1(self.conv1(x, self.style1(level))), 0.2)
        return x + simam(self.norm2(self.conv2(y, self.style2(level))))


class DeReStainer(nn.Module):
    # Optical densities of haematoxylin, eosin and DAB (Ruifrok and Johnston 2001), each of length 1.
    STAINS = F.normalize(torch.tensor([[0.65, 0.70, 0.29], [0.07, 0.99, 0.11], [0.27, 0.57, 0.78]], dtype=torch.float64))

    def __init__(self, ngf=64, levels=4, blocks=9, stains=None, floor=1 / 255):
        super().__init__()
        self.stains = self.STAINS if stains is None else stains
        self.unmix = torch.linalg.inv(self.stains)
        self.floor = floor
        wide = ngf * 8

        def down(inputs, outputs):
            return [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, True)]

        def up(inputs, outputs):
            return [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1, bias=False), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2, True)]

        self.destainer = nn.Sequential(*down(3, ngf), *down(ngf, ngf * 2), *down(ngf * 2, ngf * 4))
        self.f_H = nn.Sequential(*down(ngf * 4, wide), *down(wide, wide))
        self.f_level = nn.Sequential(*down(ngf * 4, wide), *down(wide, wide))
        self.level = nn.Linear(wide, levels)
        self.fusion = nn.ModuleList([FusionBlock(ngf * 4, levels) for _ in range(blocks)])
        self.restainer = nn.Sequential(*up(ngf * 4, ngf * 2), *up(ngf * 2, ngf), nn.ConvTranspose2d(ngf, 3, 4, 2, 1), nn.Tanh())

    def only(self, image, stain):
        """An image as one stain alone would look: 0 is haematoxylin, 2 is DAB."""
        density = -((image + 1) / 2).clamp(min=self.floor).log()
        amount = sum(density[:, i:i + 1] * float(self.unmix[i, stain]) for i in range(3)).clamp(min=0)
        return torch.cat([(-amount * float(self.stains[stain, i])).exp() for i in range(3)], 1) * 2 - 1

    def run(self, source):
        feature = self.destainer(self.only(source, 0))
        logits = self.level(self.f_level(feature).mean((2, 3)))
        fused = feature
        for block in self.fusion:
            fused = block(fused, logits)
        return self.restainer(fused), logits, feature

    def forward(self, source):
        return self.run(source)[0]


class ChannelScale(nn.Module):
    def __init__(self, channels, start):
        super().__init__()
        self.weight = nn.Parameter(torch.full((1, channels, 1, 1), start))

    def forward(self, x):
        return x * self.weight


class WaveletConv(nn.Module):
    """Depthwise convolutions of the sub-bands of a Haar transform, added to an ordinary depthwise convolution."""

    def __init__(self, channels, kernel, levels):
        super().__init__()
        half = torch.tensor([[1, 1], [1, -1]]) * 0.5 ** 0.5
        bank = torch.stack([torch.outer(half[i], half[j]) for i, j in ((0, 0), (1, 0), (0, 1), (1, 1))])[:, None]
        self.register_buffer("wt_filter", bank.repeat(channels, 1, 1, 1))
        self.register_buffer("iwt_filter", bank.repeat(channels, 1, 1, 1))
        self.base_conv = nn.Conv2d(channels, channels, kernel, padding=kernel // 2, groups=channels)
        self.base_scale = ChannelScale(channels, 1.0)
        self.wavelet_convs = nn.ModuleList(
            [nn.Conv2d(channels * 4, channels * 4, kernel, padding=kernel // 2, groups=channels * 4, bias=False) for _ in range(levels)])
        self.wavelet_scale = nn.ModuleList([ChannelScale(channels * 4, 0.1) for _ in range(levels)])

    def bands(self, x, level):
        groups = x.shape[1]
        bands = F.conv2d(F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2)), self.wt_filter, stride=2, groups=groups)
        shape = (bands.shape[0], groups, 4, *bands.shape[2:])
        y = self.wavelet_scale[level](self.wavelet_convs[level](bands))
        if level + 1 < len(self.wavelet_convs):
            low = self.bands(bands.view(shape)[:, :, 0], level + 1)
            y = y.view(shape)
            y = torch.cat([(y[:, :, 0] + low)[:, :, None], y[:, :, 1:]], 2).flatten(1, 2)
        return F.conv_transpose2d(y, self.iwt_filter, stride=2, groups=groups)[:, :, :x.shape[2], :x.shape[3]]

    def forward(self, x):
        return self.base_scale(self.base_conv(x)) + self.bands(x, 0)


class WaveletBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = WaveletConv(outputs, 3, 1), nn.BatchNorm2d(outputs)
        self.shortcut = nn.Sequential() if stride == 1 else nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))) + self.shortcut(x))


class MultiScaleExtractor(nn.Module):
    def __init__(self, ngf):
        super().__init__()

        def stage(inputs):
            return nn.Sequential(WaveletBlock(inputs, inputs * 2, 2), WaveletBlock(inputs * 2, inputs * 2, 1))

        self.layers = nn.ModuleList([nn.Sequential(
            nn.ReflectionPad2d(1), nn.Conv2d(3, ngf, 3, bias=False), *norm_relu(ngf), WaveletConv(ngf, 7, 3), *norm_relu(ngf)),
            stage(ngf), stage(ngf * 2)])

    def forward(self, x):
        features = []
        for layer in self.layers:
            x = layer(x)
            features.append(x)
        return features


class CrossAttention(nn.Module):
    def __init__(self, channels, alpha=0.2):
        super().__init__()
        self.alpha = alpha
        self.q_conv, self.k_conv, self.v_conv, self.out_conv = [nn.Conv2d(channels, channels, 1) for _ in range(4)]
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x, guide):
        q, k, v = [conv(image).flatten(2).transpose(1, 2) for conv, image in
                   ((self.q_conv, x), (self.k_conv, guide), (self.v_conv, guide))]
        attended = torch.softmax(q @ k.transpose(1, 2) / math.sqrt(q.shape[-1]), -1) @ v
        return x + self.alpha * self.bn(self.out_conv(attended.transpose(1, 2).reshape(x.shape)))


class ConvGru(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.convz, self.convr, self.convq = [nn.Conv2d(channels * 2, channels, 3, padding=1) for _ in range(3)]

    def forward(self, h, x):
        both = torch.cat([h, x], 1)
        z, r = torch.sigmoid(self.convz(both)), torch.sigmoid(self.convr(both))
        return (1 - z) * h + z * torch.tanh(self.convq(torch.cat([r * h, x], 1)))


class CeffBody(nn.Module):
    def __init__(self, ngf, blocks=6):
        super().__init__()
        channels = ngf * 4

        def conv(inputs, outputs, stride):
            return [nn.ReflectionPad2d(1), nn.Conv2d(inputs, outputs, 3, stride)]

        self.convX1 = nn.Sequential(*conv(ngf, ngf * 2, 2), nn.LeakyReLU(inplace=True), *conv(ngf * 2, channels, 2), nn.Tanh())
        self.convX2 = nn.Sequential(*conv(ngf * 2, ngf * 3, 2), nn.LeakyReLU(inplace=True), *conv(ngf * 3, channels, 1), nn.Tanh())
        self.convX3 = nn.Sequential(*conv(channels, channels, 1), nn.Tanh())
        self.gru = ConvGru(channels)
        self.block = nn.ModuleList([CrossAttention(channels), *[ResnetBlock(channels, nn.BatchNorm2d) for _ in range(blocks)]])
        self.downsample = nn.Sequential(*up_to_image(ngf))

    def forward(self, features, guide):
        x = self.block[0](features[2], guide)
        h3 = self.convX3(features[2])
        h2 = self.gru(h3, self.convX2(features[1]))
        states = [h3, h2, self.gru(h2, self.convX1(features[0]))]
        for i, block in enumerate(self.block[1:]):
            x = block(x)
            if i < len(states):
                x = x + states[i]
        return self.downsample(x)


class CeffEncoder(nn.Module):
    FEATURE = 16

    def __init__(self, ngf=64, length=1024, blocks=6):
        super().__init__()

        def halve(inputs, outputs):
            return [nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False), *norm_relu(outputs)]

        self.conv = nn.Sequential(
            nn.ReflectionPad2d(3), nn.Conv2d(3, ngf, 7, bias=False), *norm_relu(ngf), *halve(ngf, ngf * 2), *halve(ngf * 2, ngf * 4),
            *[ResnetBlock(ngf * 4, nn.BatchNorm2d) for _ in range(blocks)], *halve(ngf * 4, ngf * 4), *halve(ngf * 4, ngf * 4),
            *halve(ngf * 4, ngf * 8), *halve(ngf * 8, ngf * 16), nn.AdaptiveAvgPool2d(2))
        self.fc = nn.Linear(ngf * 16 * 4, length)

    def feature(self, image):
        return self.conv[:self.FEATURE](image)

    def forward(self, image):
        return self.fc(self.conv(image).flatten(1))


class Ceff(nn.Module):
    def __init__(self, ngf=64):
        super().__init__()
        self.encoder, self.generator, self.encoder_fusion = MultiScaleExtractor(ngf), CeffBody(ngf), CeffEncoder(ngf)

    def forward(self, source):
        rows = [torch.cat([self.encoder_fusion.feature(tile) for tile in row.chunk(2, 3)], 3) for row in source.chunk(2, 2)]
        return self.generator(self.encoder(source), torch.cat(rows, 2))


class ResBlock(nn.Module):
    """Residual block of a diffusion U-Net: the time scales and shifts the second norm; resize is "half", "double" or None."""

    def __init__(self, inputs, outputs, embedding, resize=None):
        super().__init__()
        self.resize = resize
        self.in_layers = nn.Sequential(nn.GroupNorm(32, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1))
        self.emb_layers = nn.Sequential(nn.SiLU(), nn.Linear(embedding, outputs * 2))
        self.out_layers = nn.Sequential(nn.GroupNorm(32, outputs), nn.SiLU(), nn.Dropout(0), nn.Conv2d(outputs, outputs, 3, padding=1))
        self.skip_connection = nn.Identity() if inputs == outputs else nn.Conv2d(inputs, outputs, 1)

    def forward(self, x, time):
        h = self.in_layers[1](self.in_layers[0](x))
        if self.resize == "half":
            h, x = F.avg_pool2d(h, 2), F.avg_pool2d(x, 2)
        elif self.resize == "double":
            h, x = F.interpolate(h, scale_factor=2), F.interpolate(x, scale_factor=2)
        scale, shift = self.emb_layers(time)[:, :, None, None].chunk(2, 1)
        h = self.out_layers[0](self.in_layers[2](h)) * (1 + scale) + shift
        return self.skip_connection(x) + self.out_layers[1:](h)


class Attention(nn.Module):
    def __init__(self, channels, heads):
        super().__init__()
        self.heads = heads
        self.norm = nn.GroupNorm(32, channels)
        self.qkv, self.proj_out = nn.Conv1d(channels, channels * 3, 1), nn.Conv1d(channels, channels, 1)

    def forward(self, x):
        flat = x.flatten(2)
        n, c, length = flat.shape
        q, k, v = self.qkv(self.norm(flat)).view(n * self.heads, -1, length).chunk(3, 1)
        weights = torch.softmax(q.transpose(1, 2) @ k / math.sqrt(c // self.heads), -1)
        return x + self.proj_out((v @ weights.transpose(1, 2)).reshape(n, c, length)).view(x.shape)


class Halve(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.op = nn.Conv2d(channels, channels, 3, 2, 1)

    def forward(self, x):
        return self.op(x)


class Double(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x):
        return self.conv(F.interpolate(x, scale_factor=2))


class Timed(nn.Sequential):
    def forward(self, x, time):
        for layer in self:
            x = layer(x, time) if isinstance(layer, ResBlock) else layer(x)
        return x


class DiffusionUnet(nn.Module):
    def __init__(self, base, multiples, attention, head_channels=0, heads=4, condition=0, resize_in_blocks=False, blocks=2):
        super().__init__()
        self.base = base
        time = base * 4

        def stage(inputs, level):
            outputs = base * multiples[level]
            layers = [ResBlock(inputs, outputs, time)]
            return layers + ([attend(outputs)] if 2 ** level in attention else [])

        def attend(channels):
            return Attention(channels, channels // head_channels if head_channels else heads)

        def halve(channels):
            return ResBlock(channels, channels, time, "half") if resize_in_blocks else Halve(channels)

        def double(channels):
            return ResBlock(channels, channels, time, "double") if resize_in_blocks else Double(channels)

        self.time_embed = nn.Sequential(nn.Linear(base, time), nn.SiLU(), nn.Linear(time, time))
        channels = base * multiples[0]
        self.input_blocks, skips = nn.ModuleList([Timed(nn.Conv2d(3 + condition, channels, 3, padding=1))]), [channels]
        for level in range(len(multiples)):
            if level > 0:
                self.input_blocks.append(Timed(halve(channels)))
                skips.append(channels)
            for _ in range(blocks):
                self.input_blocks.append(Timed(*stage(channels, level)))
                channels = base * multiples[level]
                skips.append(channels)
        self.middle_block = Timed(ResBlock(channels, channels, time), attend(channels), ResBlock(channels, channels, time))
        self.output_blocks = nn.ModuleList()
        for level in reversed(range(len(multiples))):
            for i in range(blocks + 1):
                layers = stage(channels + skips.pop(), level)
                channels = base * multiples[level]
                if level > 0 and i == blocks:
                    layers.append(double(channels))
                self.output_blocks.append(Timed(*layers))
        self.out = nn.Sequential(nn.GroupNorm(32, channels), nn.SiLU(), nn.Conv2d(channels, 3, 3, padding=1))

    def forward(self, x, time, condition=None):
        half = self.base // 2
        angles = time[:, None].float() * torch.exp(torch.arange(half) * (-math.log(10000) / half))
        embedding = self.time_embed(torch.cat([angles.cos(), angles.sin()], 1))
        h, skips = x if condition is None else torch.cat([x, condition], 1), []
        for block in self.input_blocks:
            h = block(h, embedding)
            skips.append(h)
        h = self.middle_block(h, embedding)
        for block in self.output_blocks:
            h = block(torch.cat([h, skips.pop()], 1), embedding)
        return self.out(h)


NETWORKS = {
    "resnet9-batch": lambda: ResnetGenerator(nn.BatchNorm2d),
    "resnet9-instance": lambda: ResnetGenerator(nn.InstanceNorm2d),
    "unet256": UnetGenerator,
    "derestainer": DeReStainer,
    "ceff": Ceff,
    "bbdm": lambda: DiffusionUnet(128, [1, 1, 2, 2, 4, 4], [16, 32], condition=3),
    "i2sb": lambda: DiffusionUnet(256, [1, 1, 2, 2, 4, 4], [8, 16, 32], head_channels=64, condition=3, resize_in_blocks=True),
}


def create(name):
    return NETWORKS[name]()
