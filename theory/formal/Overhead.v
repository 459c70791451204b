(** * The saving with a fixed step overhead

    [c] is the overhead of a step in units of load; every worker draws power through it.  Busy and
    idle time are [W + c S] and [I + c (G K - S)], [S] the sum of utilisations.

    Claims: [energy.overhead], [energy.saving-overhead], [energy.overhead-lowers]. *)

From Coq Require Import Reals Lra List.
From evenkeel Require Import PowerLaw Energy Saving.
Import ListNotations.
Open Scope R_scope.

Definition saving_with (c : R) (d : device) (r0 r1 : run) : R := 1 - energy d c r1 / energy d c r0.

(** Busy time [W + c S] and idle time [I + c (G K - S)] of a run. *)
Definition busy_with (c : R) (r : run) : R := work r + c * over snd (cells c r).
Definition idle_with (c : R) (r : run) : R :=
  imbalances r + c * (worker_steps r - over snd (cells c r)).

(** ** [energy.saving-overhead] *)

Lemma sides_with_overhead : forall d c r, valid d -> 0 <= c -> loaded r -> 0 < work r ->
  let b := busy_with c r in let i := idle_with c r in
  0 < energy_floor d b i <= energy d c r /\
  energy d c r <= envelope d b i <= energy_tangent d b i.
Proof.
  intros d c r V C L W. simpl. destruct (usage_with_overhead c r L) as [B I].
  unfold busy_with, idle_with, worker_steps. rewrite <- B, <- I.
  destruct (busy_idle_nonnegative c r C L) as [B0 I0].
  assert (S : 0 <= over snd (cells c r)).
  { apply over_nonnegative. eapply Forall_impl; [|exact (cells_sound c r C L)].
    intros [w u]. simpl. lra. }
  assert (P : 0 < busy c r).
  { rewrite B. pose proof (Rmult_le_pos _ _ C S). lra. }
  destruct (energy_sandwich d c r V C L) as [[F _] _].
  split; [split; [|exact F]|split].
  - destruct V as ([Q _] & M & _). unfold energy_floor.
    pose proof (Rmult_lt_0_compat _ _ M P). pose proof (Rmult_le_pos _ _ Q I0). lra.
  - apply energy_below_envelope; auto. unfold total. lra.
  - apply envelope_below_tangent; auto; lra.
Qed.

(** The sharp floor, the best floor and the best cap of these usages, whatever the two works. *)
Theorem energy_saving_overhead : forall d c r0 r1, valid d -> 0 <= c -> loaded r0 -> loaded r1 ->
  0 < work r0 -> 0 < work r1 ->
  let b0 := busy_with c r0 in let i0 := idle_with c r0 in
  let b1 := busy_with c r1 in let i1 := idle_with c r1 in
  1 - energy_tangent d b1 i1 / energy_floor d b0 i0 <= saving_with c d r0 r1 /\
  1 - envelope d b1 i1 / energy_floor d b0 i0 <= saving_with c d r0 r1
    <= 1 - energy_floor d b1 i1 / envelope d b0 i0.
Proof.
  intros d c r0 r1 V C L0 L1 W0 W1. simpl. unfold saving_with.
  destruct (sides_with_overhead d c r0 V C L0 W0) as ([P0 F0] & U0 & _).
  destruct (sides_with_overhead d c r1 V C L1 W1) as ([P1 F1] & U1 & T1).
  assert (X : forall x y z w, 0 <= x <= z -> 0 < w <= y -> 1 - z / w <= 1 - x / y).
  { intros x y z w A B. pose proof (quotient_bounds x y z w A B). lra. }
  split; [|split]; apply X; lra.
Qed.

(** ** [energy.overhead-lowers] *)

(** Every worker-step draws its power through the overhead as well. *)
Definition drawn (d : device) (r : run) : R := over (fun x => power d (snd x)) (cells 0 r).

Lemma energy_with_overhead : forall d c r, energy d c r = energy d 0 r + c * drawn d r.
Proof.
  intros d c r. unfold energy, drawn, cells. induction r as [|loads rest IH].
  - unfold over. simpl. ring.
  - simpl flat_map. rewrite !over_app, IH.
    assert (H : forall m xs,
      over (fun x => fst x * power d (snd x)) (map (fun load => (c + m, load / m)) xs)
      = over (fun x => fst x * power d (snd x)) (map (fun load => (0 + m, load / m)) xs)
        + c * over (fun x => power d (snd x)) (map (fun load => (0 + m, load / m)) xs)).
    { intros m xs. induction xs as [|y ys IHy]; [unfold over; simpl; ring|].
      cbn [map]. rewrite !over_cons, IHy. cbn [fst snd]. ring. }
    rewrite H. ring.
Qed.

Lemma drawn_at_most : forall d r, valid d -> loaded r ->
  0 <= drawn d r <= P_max d * worker_steps r.
Proof.
  intros d r V L. pose proof (cells_sound 0 r (Rle_refl 0) L) as S.
  assert (P : Forall (fun x : R * R => 0 <= power d (snd x) <= P_max d) (cells 0 r)).
  { eapply Forall_impl; [|exact S]. intros [w u]. simpl. intros [_ U].
    destruct V as ([Q T] & M & G). unfold power, dynamic.
    pose proof (above_identity u (gamma d) U G). pose proof (below_tangent u (gamma d) (proj1 U) G).
    assert (power_of u (gamma d) <= 1) by nra. nra. }
  assert (N : over (fun _ => P_max d) (cells 0 r) = P_max d * worker_steps r).
  { unfold worker_steps, cells. clear. induction r as [|loads rest IH].
    - unfold over. simpl. ring.
    - simpl flat_map. rewrite over_app, IH. cbn [map].
      change (sum (INR (length loads) :: map (fun loads => INR (length loads)) rest))
        with (INR (length loads) + sum (map (fun loads => INR (length loads)) rest)).
      assert (H : forall (f : R -> R * R) (xs : list R),
        over (fun _ => P_max d) (map f xs) = P_max d * INR (length xs)).
      { intros f xs. induction xs as [|y ys IHy]; [unfold over; simpl; ring|].
        cbn [map length]. rewrite over_cons, IHy, S_INR. ring. }
      rewrite H. ring. }
  unfold drawn. split.
  - apply over_nonnegative. eapply Forall_impl; [|exact P]. simpl. intros x H. lra.
  - rewrite <- N. apply over_le. eapply Forall_impl; [|exact P]. simpl. intros x H. lra.
Qed.

(** A balanced run draws [P_max] through every worker-step. *)
Lemma energy_balanced : forall d c r, valid d -> 0 <= c -> loaded r -> balanced r ->
  steps_positive r -> energy d c r = P_max d * (work r + c * worker_steps r).
Proof.
  intros d c r V C L B P. destruct (usage_with_overhead c r L) as [Bu I].
  fold (worker_steps r) in I. pose proof (balanced_idles_never c r B P) as Z1.
  pose proof (balanced_idles_never 0 r B P) as Z2.
  destruct (usage_with_overhead 0 r L) as [_ I2]. rewrite Z2 in I2.
  destruct (energy_sandwich d c r V C L) as [[A1 A2] _].
  unfold energy_floor, energy_tangent in *. rewrite Z1 in *.
  assert (H : c * (worker_steps r - over snd (cells c r)) = 0) by lra.
  replace (work r + c * worker_steps r) with (busy c r) by (rewrite Bu; lra). lra.
Qed.

(** At equal work, a balanced run in at least as many worker-steps saves no more with a larger
    overhead: the cap without overhead holds with any. *)
Theorem energy_overhead_lowers : forall d c c' r0 r1 W, valid d -> 0 <= c <= c' ->
  pair_of_runs r0 r1 W -> balanced r1 -> steps_positive r1 -> worker_steps r0 <= worker_steps r1 ->
  saving_with c' d r0 r1 <= saving_with c d r0 r1 /\
  saving_with c' d r0 r1 <= saving_cap d (imbalances r0 / W) 0 <= imbalances r0 / (W + imbalances r0).
Proof.
  intros d c c' r0 r1 W V C R B P N. pose proof R as (L0 & L1 & W0 & W1 & w).
  assert (X : forall x y, 0 <= x <= y -> saving_with y d r0 r1 <= saving_with x d r0 r1).
  { intros x y XY. unfold saving_with.
    rewrite (energy_balanced d x r1), (energy_balanced d y r1), W1 by (auto; lra).
    rewrite (energy_with_overhead d x r0), (energy_with_overhead d y r0).
    destruct (drawn_at_most d r0 V L0) as [A0 A1].
    destruct (energy_sandwich d 0 r0 V (Rle_refl 0) L0) as [[F _] _].
    destruct (usage_without_overhead r0 L0) as (Bu & I & _ & I0). rewrite Bu, I, W0 in F.
    unfold energy_floor in F. destruct V as ([Q T] & M & G).
    pose proof (Rmult_le_pos _ _ Q I0) as QI.
    set (e := energy d 0 r0) in *. set (a := drawn d r0) in *.
    set (n := worker_steps r1) in *. set (p := P_max d) in *.
    assert (e0 : 0 < e) by (pose proof (Rmult_lt_0_compat _ _ M w); lra).
    assert (a1 : a <= p * n) by (apply Rle_trans with (p * worker_steps r0);
      [exact A1|apply Rmult_le_compat_l; lra]).
    assert (H : W * a <= n * e).
    { apply Rle_trans with (W * (p * n)); [apply Rmult_le_compat_l; lra|].
      assert (0 <= n).
      { apply (Rmult_le_reg_l p); [exact M|]. rewrite Rmult_0_r. lra. }
      apply Rle_trans with (n * (p * W)); [lra|]. apply Rmult_le_compat_l; lra. }
    assert (D0 : 0 < e + x * a) by (pose proof (Rmult_le_pos x a ltac:(lra) A0); lra).
    assert (D1 : 0 < e + y * a) by (pose proof (Rmult_le_pos y a ltac:(lra) A0); lra).
    assert (E : 1 - p * (W + x * n) / (e + x * a) - (1 - p * (W + y * n) / (e + y * a))
      = p * (y - x) * (n * e - W * a) / ((e + x * a) * (e + y * a))) by (field; lra).
    assert (0 <= p * (y - x) * (n * e - W * a) / ((e + x * a) * (e + y * a))); [|lra].
    unfold Rdiv. apply Rmult_le_pos.
    - apply Rmult_le_pos; [apply Rmult_le_pos|]; lra.
    - left. apply Rinv_0_lt_compat. now apply Rmult_lt_0_compat. }
  split; [now apply X|].
  destruct energy_cap as (Cap & Below & _).
  destruct (usage_without_overhead r0 L0) as (_ & _ & _ & I0).
  pose proof (ratio_nonnegative _ _ I0 w) as E0. split.
  - apply Rle_trans with (saving_with 0 d r0 r1); [apply X; lra|].
    change (saving_with 0 d r0 r1) with (saving d r0 r1).
    apply Rle_trans with (saving_cap d (imbalances r0 / W) (imbalances r1 / W)); now apply Cap.
  - replace (imbalances r0 / (W + imbalances r0))
      with (imbalances r0 / W / (1 + imbalances r0 / W)) by (field; lra).
    now apply Below.
Qed.
