"""Diagnosis: which convention of affine quantization does a black box follow?"""
