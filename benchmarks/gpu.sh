#!/usr/bin/env bash
# Twelve minutes of a GPU: CIFAR-10 by CF-EBM's own recipe, then JD-BW on MNIST in minibatches of 128
# for what is left. Stopped runs go on from their checkpoints: give the same folder again.
#
#     DOMAIN_TRANSLATION_DATA=/folder/of/the/files benchmarks/gpu.sh FOLDER_OF_THE_RUNS
set -uo pipefail
runs=${1:?give a folder for the runs}
timeout 440 domain-translation study energies/cifar_paper --only "c = 32" --seed 0 --runs "$runs"
timeout 260 domain-translation study reweighting/mnist_batches --seed 0 --runs "$runs"
domain-translation study --list --runs "$runs" | grep -E "cifar_paper|mnist_batches"
